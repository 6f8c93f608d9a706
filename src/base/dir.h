/* Folders by descriptor: never through a symbolic link, never by a path that could be moved away.
 */
#pragma once

/* Opens the folder `name` below `dir_fd` for reading; a symbolic link is refused. fd or -errno. */
int dir_open_at(int dir_fd, const char *name);

/* Removes `name` below `dir_fd`, and when it is a folder all that lies in it, however deep; `depth`
 * (at least 2) folders are open at once. As root each folder in it is taken from its owner first,
 * so that he adds nothing meanwhile. What lies on another file system, or cannot be removed, stays.
 */
void dir_remove_at(int dir_fd, const char *name, int depth);
