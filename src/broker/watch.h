/* Calls that want the list again after each change. */
#pragma once

struct broker;
struct call;

/* Keeps the call and answers it once at once. */
void watch_add(struct call *call);

/* Soon every watcher hears of it; changes that come close together are one. */
void watch_changed(struct broker *b);
void watch_free_all(struct broker *b);
