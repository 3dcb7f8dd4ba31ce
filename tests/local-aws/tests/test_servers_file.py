"""servers.json is shared by those who start servers."""

import stat
import tempfile
import threading
import unittest
from pathlib import Path

from local_aws import servers_file


class ServersFile(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.state = Path(directory.name)

    def test_each_key_is_set_beside_the_others(self):
        servers_file.put(self.state, "aws", {"endpoint": "here"})
        servers_file.put(self.state, "mysql", [1])
        servers_file.put(self.state, "mysql", [2])
        self.assertEqual(servers_file.read(self.state), {"aws": {"endpoint": "here"}, "mysql": [2]})

    def test_only_its_owner_may_read_it(self):
        servers_file.put(self.state, "mysql", [])
        self.assertEqual(stat.S_IMODE(servers_file.path(self.state).stat().st_mode), 0o600)

    def test_the_last_key_takes_the_file_with_it(self):
        servers_file.put(self.state, "mysql", [])
        servers_file.put(self.state, "aws", {})
        servers_file.remove(self.state, "mysql")
        self.assertEqual(servers_file.read(self.state), {"aws": {}})
        servers_file.remove(self.state, "aws")
        servers_file.remove(self.state, "aws")
        self.assertFalse(servers_file.path(self.state).exists())

    def test_writers_beside_each_other_lose_nothing(self):
        threads = [
            threading.Thread(target=servers_file.put, args=(self.state, str(number), number)) for number in range(20)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(servers_file.read(self.state), {str(number): number for number in range(20)})


if __name__ == "__main__":
    unittest.main()
