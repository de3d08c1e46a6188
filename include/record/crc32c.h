/*
 * crc32c: the checksum of a spool frame.
 *
 * CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as in RFC 3720,
 * appendix B.4; eight tables at a time ("slicing by 8", Kounavis and Berry,
 * 2005), without special instructions, so that it runs everywhere.
 */
#ifndef RECORD_CRC32C_H
#define RECORD_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of N bytes; any thread may call it. */
uint32_t crc32c(const void *bytes, size_t n);

#endif /* RECORD_CRC32C_H */
