<?php

declare(strict_types=1);

// Prints how many requests Apache works on at a time: as many processes as the task's memory carries.

namespace MauticServer;

const MIB = 1024 * 1024;
/** Apache, the entrypoint, OPcache's shared memory (php.ini) and the system's own buffers. */
const RESERVED_MIB = 320;
/** A page of Mautic's takes a quarter of what it is allowed; few take all of it, and never all of them at once. */
const SHARE_OF_LIMIT = 0.25;
const FEWEST = 3;

/** MiB of the task, as ECS says it; where there is no ECS, of the container or the machine. */
function taskMemory(): float
{
    $found = [];
    if (false !== $endpoint = getenv('ECS_CONTAINER_METADATA_URI_V4')) {
        $answer = @file_get_contents("$endpoint/task", false, stream_context_create(['http' => ['timeout' => 2]]));
        $found[] = (float) (json_decode((string) $answer, true)['Limits']['Memory'] ?? 0);
    }
    foreach (['/sys/fs/cgroup/memory.max', '/sys/fs/cgroup/memory/memory.limit_in_bytes'] as $file) {
        $found[] = (float) @file_get_contents($file) / MIB;
    }
    preg_match('/^MemTotal: +(\d+) kB/m', (string) @file_get_contents('/proc/meminfo'), $match);
    $found[] = (float) ($match[1] ?? 0) / 1024;

    return min(array_filter($found));
}

function mebibytes(string $setting): float
{
    return (float) $setting * (['K' => 1 / 1024, 'M' => 1, 'G' => 1024][strtoupper(substr($setting, -1))] ?? 1 / MIB);
}

$each = mebibytes(getenv('PHP_MEMORY_LIMIT') ?: '512M') * SHARE_OF_LIMIT;
echo max(FEWEST, (int) floor((taskMemory() - RESERVED_MIB) / $each));
