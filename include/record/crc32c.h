/*
 * crc32c: the checksum of a spool frame.
 *
 * CRC-32C (Castagnoli), reflected polynomial 0x82F63B78, as in RFC 3720,
 * appendix B.4.  By ISA-L, with the processor's own instruction where it has
 * one.
 */
#ifndef RECORD_CRC32C_H
#define RECORD_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/* The checksum of N bytes, at most INT_MAX; any thread may call it. */
uint32_t crc32c(const void *bytes, size_t n);

#endif /* RECORD_CRC32C_H */
