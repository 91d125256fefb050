/* SPDX-License-Identifier: MIT
 *
 * store_kit.h - a store in a folder of its own, for each test.
 */
#ifndef STORE_KIT_H
#define STORE_KIT_H

#include "daemon/store/db.h"
#include "daemon/store/deliveries.h"

#define TEXT(text) ((hookline_bytes){text, sizeof(text) - 1})

extern char store_file[96], why[DB_WHY_SIZE];

/* Checked fixture. */
void make_folder(void);
void remove_folder(void);

struct db *open_store(void);
struct deliveries *open_shelf(struct db *db);

void execute(struct db *db, const char *sql);
int64_t ask(struct db *db, const char *sql); /* one number */

struct delivery_row entry_of(const char *source, const char *id, const char *mac);

/* One transaction. */
enum deliveries_outcome put(struct db *db, struct deliveries *deliveries, struct delivery_row *row);

#endif
