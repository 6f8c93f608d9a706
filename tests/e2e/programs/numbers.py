"""numbers.py COUNT MILLISECONDS: numbered lines, one each few milliseconds, then "the end"; then waits for a line."""

import select
import sys

for number in range(int(sys.argv[1])):
    sys.stdout.write("line %06d of the program\n" % number)
    sys.stdout.flush()
    select.select([], [], [], int(sys.argv[2]) / 1000)
print("the end", flush=True)
sys.stdin.readline()
