"""ask.py FILE END QUERY...: puts each QUERY (as hex), and writes what came back, up to END, to FILE."""

import os
import sys

from common import put, raw, read_until, save

path, end = sys.argv[1], sys.argv[2].encode()
raw()
put(bytes.fromhex("".join(sys.argv[3:])))
save(path, read_until(end))
put("answered")
os.read(0, 1)
