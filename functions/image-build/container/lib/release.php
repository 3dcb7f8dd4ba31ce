<?php

declare(strict_types=1);

// Brings the schema to what this image needs: `release.php install`, `release.php reinstall` or `release.php migrate`. One at a time
// in the whole installation; each step is judged by the tables, because Mautic's commands end with 0 where they did nothing.
//
// Told to stop, it lets the command in hand come to its end (MySQL undoes no half migration) and begins no other one.

namespace MauticServer;

require_once __DIR__.'/command.php';
require_once __DIR__.'/lock.php';
require_once __DIR__.'/schema.php';

/** A release that cannot go on; its message is for who runs it. */
final class Refused extends \RuntimeException
{
}

final class Release
{
    /** Another release may be at work: within this time it is done, or something is wrong. */
    private const PATIENCE_SECONDS = 600;

    private const KEEP_EVERY_SECONDS = 60.0;

    private readonly Lock $lock;

    private float $kept;

    public function __construct(private readonly Schema $schema)
    {
        $this->lock = new Lock('release');
        if (!$this->lock->take(self::PATIENCE_SECONDS)) {
            throw new Refused(sprintf('another release has been at work on this schema for %d seconds; see its task.', self::PATIENCE_SECONDS));
        }
        $this->kept = microtime(true);
    }

    /** Only into a schema without tables: Mautic's installer drops what it finds. */
    public function install(): void
    {
        $tables = $this->schema->tables();
        $since = $this->schema->installingSince();
        if ([] !== $tables && null !== $since) {
            throw new Refused(sprintf('schema %s holds %d tables of an installation that began on %s UTC and was interrupted; nothing was changed. To remove them and install again: release reinstall', Database::schema(), count($tables), $since));
        }
        if ([] !== $tables) {
            throw new Refused(sprintf('schema %s is not empty (%s); nothing was changed. To bring an installed Mautic to this version: release migrate', Database::schema(), self::someOf($tables)));
        }
        $this->fill();
    }

    /** After an interrupted installation, whose marker says that all the tables are its own. */
    public function reinstall(): void
    {
        if (null === $this->schema->installingSince()) {
            throw new Refused(sprintf('schema %s holds no interrupted installation (no table %s); nothing was changed.', Database::schema(), Schema::MARKER));
        }
        $older = $this->schema->tablesOlderThanMarker();
        if ([] !== $older) {
            throw new Refused(sprintf('schema %s holds tables that are older than the interrupted installation (%s); nothing was changed. Move them away, or use another schema.', Database::schema(), self::someOf($older)));
        }
        $this->schema->clear();
        $this->fill();
    }

    public function migrate(): void
    {
        if (null !== $this->schema->installingSince()) {
            throw new Refused(sprintf('schema %s holds an installation that did not come to its end (table %s); nothing was changed. See release install.', Database::schema(), Schema::MARKER));
        }
        $lacks = $this->schema->lacks();
        if (null !== $lacks) {
            throw new Refused(sprintf('schema %s holds no Mautic: %s; nothing was changed. For an empty schema: release install', Database::schema(), $lacks));
        }
        if (!$this->schema->recordsMigrations()) {
            // Mautic would run all of them since its beginning, over tables that are newer.
            throw new Refused(sprintf('schema %s does not say which migrations it has had (table migrations); nothing was changed. See docs/operations.md ("Move an existing Mautic into the stack").', Database::schema()));
        }
        $this->step('doctrine:migrations:migrate', '--no-interaction');
        $this->end('migrate');
    }

    private function fill(): void
    {
        $this->schema->markInstalling();
        $configuration = new Configuration();
        $configuration->forInstaller();
        try {
            // Its exit code says little: it ends with 0 where it cancels. And it writes a secret key and passwords of its own into the
            // configuration, which is why it gets one that is thrown away.
            $this->step(
                'mautic:install', (string) getenv('MAUTIC_SITE_URL'), '--no-interaction', '--force',
                '--admin_username='.getenv('ADMIN_USERNAME'), '--admin_email='.getenv('ADMIN_EMAIL'),
            );
        } finally {
            $configuration->forTasks();
        }
        $lacks = $this->schema->lacks();
        if (null !== $lacks) {
            throw new Refused(sprintf('mautic:install ended with 0, but schema %s holds no Mautic: %s. Its output says why.', Database::schema(), $lacks));
        }
        // The installer makes the newest tables but records no migration; without the record every later release would run them all.
        $this->step('doctrine:migrations:sync-metadata-storage', '--no-interaction');
        $this->step('doctrine:migrations:version', '--add', '--all', '--no-interaction');
        if (!$this->schema->hasAdministrator((string) getenv('ADMIN_USERNAME'), (string) getenv('ADMIN_EMAIL'), (string) getenv('ADMIN_PASSWORD'))) {
            throw new Refused(sprintf('Mautic was installed, but its first user is not %s with the address and password of the administrator\'s secret.', getenv('ADMIN_USERNAME')));
        }
        $this->end('install');
    }

    private function end(string $command): void
    {
        $this->step('doctrine:migrations:up-to-date');
        if (!$this->schema->recordsMigrations()) {
            throw new Refused(sprintf('every command ended with 0, but schema %s does not say which migrations it has had.', Database::schema()));
        }
        if ('install' === $command) {
            $this->schema->unmarkInstalling();
        }
        $this->schema->record((string) (getenv('RELEASE_ID') ?: 'by-hand-'.gmdate('Ymd\THis\Z')), $command, self::version());
    }

    private function step(string ...$words): void
    {
        if (Command::isStopping()) {
            throw new Refused(sprintf('it was told to stop before %s; run it again.', $words[0]));
        }
        $exit = Command::run(array_values($words), function (): bool {
            // A connection that says nothing for hours is closed, and the lock with it.
            if (microtime(true) - $this->kept > self::KEEP_EVERY_SECONDS) {
                $this->kept = microtime(true);
                try {
                    $this->lock->keep();
                } catch (\RuntimeException) {
                    // The command has a connection of its own, and says what became of it.
                }
            }

            return true;
        });
        if (0 !== $exit) {
            throw new Refused(sprintf('%s ended with %d; its output says why.', $words[0], $exit));
        }
    }

    private static function version(): string
    {
        $metadata = json_decode((string) @file_get_contents(Command::root().'/docroot/app/release_metadata.json'), true);

        return (string) ($metadata['version'] ?? 'unknown');
    }

    /** @param list<string> $tables */
    private static function someOf(array $tables): string
    {
        return implode(', ', array_slice($tables, 0, 3)).(count($tables) > 3 ? sprintf(' and %d more', count($tables) - 3) : '');
    }
}

/** The folder that Mautic reads its configuration from, writable in a release's task alone. */
final class Configuration
{
    public function forInstaller(): void
    {
        $this->put('local.php', __DIR__.'/installer.php');
    }

    public function forTasks(): void
    {
        $this->put('local.php', __DIR__.'/../config/local.php');
    }

    /** In place at once, and what was compiled from the last one is gone. */
    private function put(string $name, string $source): void
    {
        $target = Command::root().'/config/'.$name;
        if (!@copy($source, "$target.new") || !@rename("$target.new", $target)) {
            throw new Refused(sprintf('%s cannot be written; a release needs an empty volume at %s.', $target, dirname($target)));
        }
        $compiled = Command::root().'/var/cache/prod';
        if (is_dir($compiled)) {
            rename($compiled, $compiled.'.'.hrtime(true));
        }
    }
}

$actions = ['install', 'reinstall', 'migrate'];
$action = $argv[1] ?? '';
if (!in_array($action, $actions, true)) {
    fwrite(\STDERR, sprintf("release: \"%s\" is none of %s\n", $action, implode(', ', $actions)));
    exit(64);
}
Command::heedSignals();
try {
    $schema = new Schema(Database::connect());
    (new Release($schema))->$action();
    fwrite(\STDOUT, "release: $action is done.\n");
    exit(0);
} catch (\PDOException $error) {
    fwrite(\STDERR, 'release: the database failed: '.$error->getMessage()."\n");
} catch (\RuntimeException $error) {
    fwrite(\STDERR, 'release: '.$error->getMessage()."\n");
}
exit(1);
