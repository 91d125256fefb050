/* SPDX-License-Identifier: MIT
 *
 * store_kit.h - a store in a folder of its own, for each test.
 */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include "daemon/store/entry.h"
#include "daemon/store/shelf.h"
#include "daemon/store/store.h"

#define TEXT(text) ((hookline_bytes){text, sizeof(text) - 1})

extern char store_file[96], why[STORE_WHY_SIZE];

/* A checked fixture. */
void make_folder(void);
void remove_folder(void);

struct store *open_store(void);
struct shelf *open_shelf(struct store *store);

void execute(struct store *store, const char *sql);
int64_t ask(struct store *store, const char *sql); /* one number */

struct entry entry_of(const char *source, const char *id, const char *mac);

/* One transaction. */
enum shelf_verdict put(struct store *store, struct shelf *shelf, struct entry *entry);

#endif
