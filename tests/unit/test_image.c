#include "policy/image.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "policy/image_file.h"
#include "policy/replace.h"

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TSAN 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define TSAN 1
#endif

enum { SHAPE = 77, CHILDREN = 300, HEADER_BYTES = 64, PATH_BYTES = 256 };

struct node {
	const char *name;
	const struct node *children; /* [children_n] */
	size_t children_n;
	const struct node *friend;
	int64_t number;
};

static char folder[] = "/tmp/test_image.XXXXXX";
static char path[PATH_BYTES];

static int
set_up(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(folder));
	(void)snprintf(path, sizeof(path), "%s/image", folder);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	(void)unlink(path);
	return rmdir(folder);
}

static struct image_builder *
build(uint64_t slot)
{
	struct image_builder *builder = NULL;
	char name[32];

	assert_int_equal(image_builder_new(slot, SHAPE, &builder, NULL),
			 STATUS_OK);
	struct node *root = image_array(builder, NULL, 1, sizeof(struct node));
	struct node *children = image_array(builder, &root->children, CHILDREN,
					    sizeof(struct node));
	root->children_n = CHILDREN;
	image_text(builder, &root->name, "root");
	for (int i = 0; i < CHILDREN; i++) {
		(void)snprintf(name, sizeof(name), "child %d", i % 100);
		image_text(builder, &children[i].name, name);
		image_point(builder, &children[i].friend,
			    i == 0 ? NULL : &children[i - 1]);
		children[i].number = i;
	}
	image_text(builder, &children[0].name, NULL);
	image_text(builder, &children[0].name, "first"); /* twice is once */
	return builder;
}

static void
check(const struct image *image)
{
	const struct node *root = image_root(image);
	char name[32];

	assert_string_equal(root->name, "root");
	assert_int_equal(root->children_n, CHILDREN);
	assert_string_equal(root->children[0].name, "first");
	assert_null(root->children[0].friend);
	assert_null(root->friend);
	for (int i = 1; i < CHILDREN; i++) {
		const struct node *child = &root->children[i];

		(void)snprintf(name, sizeof(name), "child %d", i % 100);
		assert_string_equal(child->name, name);
		assert_ptr_equal(child->friend, child - 1);
		assert_int_equal(child->number, i);
		assert_int_equal((uintptr_t)child->name % sizeof(void *), 0);
	}
	assert_ptr_equal(root->children[150].name, root->children[250].name);
}

static void
write_image(uint64_t slot)
{
	struct image_builder *builder = build(slot);

	assert_int_equal(image_write(builder, path, NULL), STATUS_OK);
	image_builder_free(builder);
}

static uintptr_t
wanted_root(uint64_t slot)
{
	return (uintptr_t)(IMAGE_ADDRESS +
			   slot % IMAGE_SLOTS * IMAGE_SLOT_BYTES +
			   HEADER_BYTES);
}

static void
a_file_is_mapped_where_it_was_built_for(void **state)
{
	(void)state;
	struct image *first = NULL, *second = NULL;

	write_image(3 + 5 * IMAGE_SLOTS);
	assert_int_equal(image_open(path, SHAPE, &first, NULL), STATUS_OK);
	check(first);
#ifndef TSAN
	assert_int_equal((uintptr_t)image_root(first), wanted_root(3));
#endif
	/* the address is taken now: the same file lies elsewhere */
	assert_int_equal(image_open(path, SHAPE, &second, NULL), STATUS_OK);
	check(second);
	assert_ptr_not_equal(image_root(first), image_root(second));
	image_close(first);
	check(second);
	image_close(second);
}

static void
what_lies_at_the_address_stays(void **state)
{
	(void)state;
	struct image *image = NULL;

	write_image(9);
	void *wanted = (void *)(wanted_root(9) - HEADER_BYTES);
	char *taken = mmap(wanted, 4096, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(taken != MAP_FAILED);
	memset(taken, 42, 4096);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_OK);
	check(image);
	assert_int_not_equal((uintptr_t)image_root(image), wanted_root(9));
	assert_int_equal(taken[4095], 42);
	image_close(image);
	(void)munmap(taken, 4096);
}

/* A builder whose address is taken writes the same file nevertheless. */
static void
a_file_does_not_tell_where_it_was_built(void **state)
{
	(void)state;
	struct image_builder *one = build(11), *two = build(11);
	static char bytes[2][65536];
	ssize_t n[2];

	for (int i = 0; i < 2; i++) {
		assert_int_equal(image_write(i == 0 ? one : two, path, NULL),
				 STATUS_OK);
		int fd = open(path, O_RDONLY);
		n[i] = read(fd, bytes[i], sizeof(bytes[i]));
		close(fd);
	}
	assert_true(n[0] > 10000 && n[0] < (ssize_t)sizeof(bytes[0]));
	assert_int_equal(n[0], n[1]);
	assert_memory_equal(bytes[0], bytes[1], (size_t)n[0]);
	image_builder_free(one);
	image_builder_free(two);
}

static void
a_block_grows_on_after_it_was_written(void **state)
{
	(void)state;
	struct image_builder *builder = build(12);
	struct image *image = NULL;

	assert_int_equal(image_write(builder, path, NULL), STATUS_OK);
	struct image *adopted = NULL;
	struct node *before =
	    image_array(builder, NULL, 0, sizeof(struct node));
	assert_null(before); /* none of nothing */
	assert_int_equal(image_write(builder, path, NULL), STATUS_OK);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_OK);
	check(image);
	adopted = image_adopt(builder);
	check(adopted);
	assert_true(image_bytes(adopted) > 10000);
	assert_true(image_bytes(image) > 10000);
	image_close(adopted);
	image_close(image);
}

/* Larger than one step of memory, and more texts than the first table. */
static void
a_large_block_is_whole(void **state)
{
	(void)state;
	enum { N = 50000 };
	struct image_builder *builder = NULL;
	struct image *image = NULL;
	char name[32];

	assert_int_equal(image_builder_new(1, SHAPE, &builder, NULL),
			 STATUS_OK);
	const char **names =
	    image_array(builder, NULL, N, sizeof(const char *));
	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "name %d", i);
		image_text(builder, &names[i], name);
	}
	assert_int_equal(image_write(builder, path, NULL), STATUS_OK);
	image_builder_free(builder);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_OK);
	const char *const *got = image_root(image);
	for (int i = 0; i < N; i++) {
		(void)snprintf(name, sizeof(name), "name %d", i);
		assert_string_equal(got[i], name);
	}
	image_close(image);
}

static void
another_shape_is_a_conflict(void **state)
{
	(void)state;
	struct image *image = NULL;
	struct err err = { 0 };

	write_image(2);
	assert_int_equal(image_open(path, SHAPE + 1, &image, &err),
			 STATUS_CONFLICT);
	assert_null(image);
	assert_non_null(strstr(err.text, "another build"));
}

static void
no_file_is_said_so(void **state)
{
	(void)state;
	struct image *image = NULL;

	assert_int_equal(image_open("/nonexistent/image", SHAPE, &image, NULL),
			 STATUS_NOT_FOUND);
	assert_int_equal(image_open("/dev/null", SHAPE, &image, NULL),
			 STATUS_CORRUPT);
	assert_int_equal(image_open("/dev/null/x", SHAPE, &image, NULL),
			 STATUS_IO);
	assert_int_equal(image_open(folder, SHAPE, &image, NULL),
			 STATUS_CORRUPT);
	image_close(NULL);
	image_builder_free(NULL);
}

static void
put(int fd, off_t at, const void *bytes, size_t n)
{
	assert_int_equal(pwrite(fd, bytes, n, at), (ssize_t)n);
}

static void
any_flipped_bit_is_found(void **state)
{
	(void)state;
	unsigned char bytes[65536], byte;
	struct image *image = NULL;

	write_image(4);
	int fd = open(path, O_RDWR);
	ssize_t n = read(fd, bytes, sizeof(bytes));
	assert_true(n > 10000 && n < (ssize_t)sizeof(bytes));
	for (ssize_t at = 0; at < n; at += at < 256 ? 1 : 7) {
		for (int bit = 0; bit < 8; bit += at < 256 ? 1 : 3) {
			byte = (unsigned char)(bytes[at] ^ 1 << bit);
			put(fd, at, &byte, 1);
			assert_int_equal(image_open(path, SHAPE, &image, NULL),
					 STATUS_CORRUPT);
		}
		put(fd, at, &bytes[at], 1);
	}
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_OK);
	image_close(image);
	for (off_t cut = 0; cut < n; cut += 31) {
		assert_int_equal(truncate(path, cut), 0);
		assert_int_equal(image_open(path, SHAPE, &image, NULL),
				 STATUS_CORRUPT);
	}
	close(fd);
}

/* The words of the header, all in the order of struct header in image.c. */
static const struct {
	int word;
	uint64_t value;
} headers[] = {
	{ 2, 2 },		     /* format: caught as damage too */
	{ 4, 0 },		     /* address */
	{ 4, IMAGE_ADDRESS + 4096 }, /* between two slots */
	{ 4, IMAGE_ADDRESS + IMAGE_SLOTS *IMAGE_SLOT_BYTES },
	{ 5, UINT64_MAX }, /* block_bytes */
	{ 5, 32 },
	{ 5, 33 },
	{ 6, UINT64_MAX }, /* places_n */
	{ 6, UINT64_MAX / 4 },
	{ 6, 0 },
};

static void
impossible_headers_are_refused(void **state)
{
	(void)state;
	struct image *image = NULL;

	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		write_image(4);
		int fd = open(path, O_RDWR);
		put(fd, headers[i].word * 8, &headers[i].value, 8);
		close(fd);
		print_message("case %zu\n", i);
		assert_int_equal(image_open(path, SHAPE, &image, NULL),
				 STATUS_CORRUPT);
	}
}

/* Set WORD of the file to VALUE, under a checksum that is right again. */
static void
forge(size_t word, uint64_t value)
{
	static uint64_t words[65536 / 8];
	struct image_header header;
	int fd = open(path, O_RDWR);
	ssize_t n = read(fd, words, sizeof(words));

	assert_true(n > 10000 && n < (ssize_t)sizeof(words));
	words[word] = value;
	memcpy(&header, words, sizeof(header));
	header.checksum = image_file_checksum((char *)words, (size_t)n);
	memcpy(words, &header, sizeof(header));
	put(fd, 0, words, (size_t)n);
	close(fd);
}

static size_t
first_place(void)
{
	uint64_t block_bytes;
	uint32_t place;
	int fd = open(path, O_RDONLY);

	assert_int_equal(pread(fd, &block_bytes, 8, 5 * 8), 8);
	assert_int_equal(
	    pread(fd, &place, 4, (off_t)(HEADER_BYTES + block_bytes)), 4);
	close(fd);
	return place;
}

static void
a_forged_file_is_not_followed(void **state)
{
	(void)state;
	struct image *image = NULL;
	size_t block_words, place;
	uint64_t address = wanted_root(4) - HEADER_BYTES;

	write_image(4);
	forge(2, 2);
	assert_int_equal(image_open(path, SHAPE, &image, NULL),
			 STATUS_CONFLICT); /* another form of the file */
	write_image(4);
	place = first_place();
	forge(place, address + 8); /* into the header */
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_CORRUPT);
	forge(place, UINT64_MAX - 8);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_CORRUPT);
	forge(place, address + HEADER_BYTES);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_OK);
	image_close(image);
	image = NULL;
	/* places that descend, that lie in the header, or behind the block */
	int fd = open(path, O_RDONLY);
	assert_int_equal(pread(fd, &block_words, 8, 5 * 8), 8);
	close(fd);
	block_words = (HEADER_BYTES + block_words) / 8;
	forge(block_words, place | (uint64_t)place << 32);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_CORRUPT);
	forge(block_words, 1);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_CORRUPT);
	forge(block_words, UINT32_MAX);
	assert_int_equal(image_open(path, SHAPE, &image, NULL), STATUS_CORRUPT);
	assert_null(image);
}

static void
a_file_is_replaced_or_stays(void **state)
{
	(void)state;
	struct err err = { 0 };
	char text[16] = { 0 }, longer[5000];

	assert_int_equal(replace_file(path, "old", 3, NULL), STATUS_OK);
	assert_int_equal(replace_file(path, "newer", 5, NULL), STATUS_OK);
	int fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	assert_string_equal(text, "newer");
	close(fd);
	assert_int_equal(replace_file("/nonexistent/x", "a", 1, &err),
			 STATUS_IO);
	assert_non_null(strstr(err.text, "/nonexistent/x"));
	memset(longer, 'a', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(replace_file(longer, "a", 1, NULL), STATUS_IO);
	assert_int_equal(replace_file(folder, "a", 1, NULL), STATUS_IO);
	assert_int_equal(replace_file("/dev/full/x", "a", 1, NULL), STATUS_IO);
	/* a full disk, through the temporary file's own name */
	char full[PATH_BYTES + 8];
	(void)snprintf(full, sizeof(full), "%s.new", path);
	assert_int_equal(symlink("/dev/full", full), 0);
	assert_int_equal(replace_file(path, "a", 1, &err), STATUS_IO);
	assert_non_null(strstr(err.text, "write"));
	assert_int_not_equal(access(full, F_OK), 0);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, text, sizeof(text)), 5);
	close(fd);
}

static void
a_file_without_a_folder_is_here(void **state)
{
	(void)state;
	char was[PATH_BYTES];

	assert_non_null(getcwd(was, sizeof(was)));
	assert_int_equal(chdir(folder), 0);
	assert_int_equal(replace_file("image", "a", 1, NULL), STATUS_OK);
	assert_int_equal(chdir(was), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_mapped_where_it_was_built_for),
		cmocka_unit_test(what_lies_at_the_address_stays),
		cmocka_unit_test(a_file_does_not_tell_where_it_was_built),
		cmocka_unit_test(a_block_grows_on_after_it_was_written),
		cmocka_unit_test(a_large_block_is_whole),
		cmocka_unit_test(another_shape_is_a_conflict),
		cmocka_unit_test(no_file_is_said_so),
		cmocka_unit_test(any_flipped_bit_is_found),
		cmocka_unit_test(impossible_headers_are_refused),
		cmocka_unit_test(a_forged_file_is_not_followed),
		cmocka_unit_test(a_file_is_replaced_or_stays),
		cmocka_unit_test(a_file_without_a_folder_is_here),
	};
	return cmocka_run_group_tests_name("image", tests, set_up, tear_down);
}
