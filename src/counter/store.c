#include "counter/store.h"

void
counter_store_free(struct counter_store *store)
{
	if (store != NULL) {
		store->type->free(store);
	}
}
