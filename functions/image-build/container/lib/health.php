<?php

// What Apache answers to the container's own health check: it takes requests, and PHP works. Not the database: when that is away, every
// task is as well off as the next one, and starting them anew helps nobody. The load balancer's check goes through all of Mautic.
header('Content-Type: text/plain');
header('Cache-Control: no-store');
echo "ok\n";
