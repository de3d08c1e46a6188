#include "counter/journal.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/digest.h"
#include "base/log.h"
#include "base/mapfile.h"
#include "base/memory.h"

enum { MAGIC = 0x494d5343, SHAPE = 1, NOBODY = -1, PLACE_BITS = 16 };

struct journal_map {
	struct mapfile_head head;
	uint64_t boot;
	struct journal_slot slots[JOURNAL_SLOTS];
};

struct journal {
	struct journal_map *map;
};

/* Pids begin anew after each boot and would look alive. */
static void
forget_last_boot(struct journal_map *map, uint64_t boot)
{
	if (map->boot == boot) {
		return;
	}
	map->boot = boot;
	for (int i = 0; i < JOURNAL_SLOTS; i++) {
		if (map->slots[i].pid != 0) {
			map->slots[i].pid = NOBODY;
		}
	}
}

enum status
journal_open(const char *state_dir, uint64_t boot, struct journal **out,
	     struct err *err)
{
	const struct mapfile_head head = {
		MAGIC, SHAPE ^ (uint32_t)sizeof(struct journal_map) << 4
	};
	char path[PATH_MAX];
	void *map;
	int lock;
	int n = snprintf(path, sizeof(path), "%s/claims", state_dir);

	if (n < 0 || (size_t)n >= sizeof(path)) {
		return err_set(err, STATUS_IO, "state_dir is too long");
	}
	enum status status = mapfile_open(path, sizeof(struct journal_map),
					  head, &map, &lock, err);
	if (status != STATUS_OK) {
		return status;
	}
	forget_last_boot(map, boot);
	mapfile_unlock(lock);
	*out = memory_get(sizeof(**out));
	(*out)->map = map;
	return STATUS_OK;
}

void
journal_close(struct journal *journal)
{
	if (journal != NULL) {
		(void)munmap(journal->map, sizeof(*journal->map));
		free(journal);
	}
}

static bool
is_gone(int32_t pid)
{
	return pid == NOBODY ||
	       (pid > 0 && kill(pid, 0) != 0 && errno == ESRCH);
}

/* Is SLOT free, or its process gone without leaving anything? */
static bool
is_free(const struct journal_slot *slot, int32_t pid)
{
	return pid == 0 || (slot->phase == JOURNAL_IDLE && is_gone(pid));
}

/* Take a free slot for PID (or NOBODY), whose phase is IDLE. */
static struct journal_slot *
take_slot(struct journal *journal, int32_t pid)
{
	for (int dead = 0; dead < 2; dead++) {
		for (int i = 0; i < JOURNAL_SLOTS; i++) {
			struct journal_slot *slot = &journal->map->slots[i];
			int32_t was = slot->pid;

			/* asking the kernel only when nothing else is left */
			if ((dead == 0 ? was == 0 : is_free(slot, was)) &&
			    atomic_compare_exchange_strong(&slot->pid, &was,
							   pid)) {
				return slot;
			}
		}
	}
	return NULL;
}

void
journal_rename(const struct journal *journal, struct journal_slot *slot)
{
	uint64_t number, place = (UINT64_C(1) << PLACE_BITS) - 1;

	if (journal != NULL && slot >= journal->map->slots &&
	    slot < journal->map->slots + JOURNAL_SLOTS) {
		place = (uint64_t)(slot - journal->map->slots);
	}
	digest_random(&number, sizeof(number));
	slot->writer = number << PLACE_BITS | place;
}

struct journal_slot *
journal_join(struct journal *journal)
{
	struct journal_slot *slot = take_slot(journal, (int32_t)getpid());

	if (slot == NULL) {
		log_warning("the journal of claims has no place for a worker");
		return NULL;
	}
	slot->entries_n = 0;
	slot->taken = 0;
	journal_rename(journal, slot);
	return slot;
}

void
journal_leave(struct journal_slot *slot)
{
	slot->pid = slot->phase == JOURNAL_IDLE ? 0 : NOBODY;
}

void
journal_begin(struct journal_slot *slot, enum journal_phase phase,
	      const char *evaluation_id, int64_t now_us, uint64_t epoch)
{
	assert(slot->phase == JOURNAL_IDLE);
	slot->taken = 0;
	slot->alerts = 0;
	slot->entries_n = 0;
	slot->epoch = epoch;
	slot->now_us = now_us;
	snprintf(slot->evaluation_id, sizeof(slot->evaluation_id), "%s",
		 evaluation_id);
	slot->first_seq = slot->seq + 1;
	slot->phase = phase;
}

bool
journal_abandon(struct journal *journal, struct journal_slot *slot,
		uint64_t bits)
{
	struct journal_slot *copy =
	    journal == NULL ? NULL : take_slot(journal, NOBODY);

	if (copy == NULL) {
		slot->taken &= ~bits;
		return false;
	}
	copy->writer = slot->writer;
	copy->first_seq = slot->first_seq;
	copy->seq = slot->seq;
	copy->epoch = slot->epoch;
	copy->now_us = slot->now_us;
	memcpy(copy->evaluation_id, slot->evaluation_id,
	       sizeof(copy->evaluation_id));
	copy->entries_n = slot->entries_n;
	memcpy(copy->entries, slot->entries,
	       slot->entries_n * sizeof(slot->entries[0]));
	copy->taken = bits;
	copy->alerts = slot->alerts & bits;
	copy->phase = JOURNAL_UNDOING;
	slot->taken &= ~bits;
	return true;
}

enum journal_known
journal_knows(const struct journal *journal, uint64_t writer, uint64_t seq)
{
	uint64_t place = writer & ((UINT64_C(1) << PLACE_BITS) - 1);

	if (journal == NULL || place >= JOURNAL_SLOTS) {
		return JOURNAL_FOREIGN;
	}
	const struct journal_slot *slot = &journal->map->slots[place];
	if (slot->writer != writer) {
		return JOURNAL_FOREIGN;
	}
	if (seq < slot->first_seq) {
		return JOURNAL_OVER;
	}
	switch ((enum journal_phase)slot->phase) {
	case JOURNAL_IDLE:
	case JOURNAL_TAKEN:
		return JOURNAL_OVER;
	default:
		return JOURNAL_OPEN;
	}
}

struct journal_slot *
journal_left(struct journal *journal, size_t *at)
{
	while (*at < JOURNAL_SLOTS) {
		struct journal_slot *slot = &journal->map->slots[(*at)++];

		if (slot->pid != 0 && slot->phase != JOURNAL_IDLE &&
		    is_gone(slot->pid)) {
			return slot;
		}
	}
	return NULL;
}

void
journal_clear(struct journal_slot *slot)
{
	slot->phase = JOURNAL_IDLE;
	slot->pid = 0;
}
