/* Memory that only what is over needed, given back by a process that is about to rest for long. */
#pragma once

/* Unmaps the pages of program and libraries that are as their files have them, empties the unused
 * stack and gives free heap back. What is used again comes from the page cache, a few microseconds
 * later. For the main thread of a process without others. */
void trim_process(void);
