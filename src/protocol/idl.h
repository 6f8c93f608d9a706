/* The interface description io.termserv.Control.varlink, as introspection answers it. Generated at
 * build time. */
#pragma once

/* Static text, NUL-ended. */
const char *idl_text(void);
