"""numbers.py FILE MILLISECONDS: numbered lines, one each few milliseconds, until there is FILE; then "the end after COUNT
lines"; then waits for a line."""

import itertools
import os
import select
import sys

for number in itertools.count():
    if os.path.exists(sys.argv[1]):
        break
    sys.stdout.write("line %06d of the program\n" % number)
    sys.stdout.flush()
    select.select([], [], [], int(sys.argv[2]) / 1000)
print("the end after %d lines" % number, flush=True)
sys.stdin.readline()
