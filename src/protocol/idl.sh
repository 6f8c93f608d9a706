#!/bin/sh
# Turns the interface description into a C source: idl.sh FILE
set -eu
printf '#include "protocol/idl.h"\n\nconst char *idl_text(void)\n{\n\treturn'
sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/\t"/' -e 's/$/\\n"/' -e '1s/^/\n/' "$1"
printf ';\n}\n'
