/* XXH3, the hash behind random choices and of entries of mixtures: what xxhash.xxh3_64_intdigest returns of at least two
   bytes, and xxhash.xxh3_128_digest of at least four. What is hashed here is never shorter.

   Written after the description of the algorithm in the xxHash project, doc/xxhash_spec.md, whose names for the steps
   are kept in the comments. All arithmetic is modulo 2^64, and words are little-endian. */

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PRIME32_1 0x9E3779B1u
#define PRIME32_2 0x85EBCA77u
#define PRIME32_3 0xC2B2AE3Du
#define PRIME64_1 0x9E3779B185EBCA87u
#define PRIME64_2 0xC2B2AE3D27D4EB4Fu
#define PRIME64_3 0x165667B19E3779F9u
#define PRIME64_4 0x85EBCA77C2B2AE63u
#define PRIME64_5 0x27D4EB2F165667C5u
#define PRIME_MX1 0x165667919E3779F9u
#define PRIME_MX2 0x9FB21C651E98DF25u

enum { SECRET = 192, STRIPE = 64, STRIPES = (SECRET - STRIPE) / 8 };

static const unsigned char default_secret[SECRET] = {
    0xb8, 0xfe, 0x6c, 0x39, 0x23, 0xa4, 0x4b, 0xbe, 0x7c, 0x01, 0x81, 0x2c, 0xf7, 0x21, 0xad, 0x1c,
    0xde, 0xd4, 0x6d, 0xe9, 0x83, 0x90, 0x97, 0xdb, 0x72, 0x40, 0xa4, 0xa4, 0xb7, 0xb3, 0x67, 0x1f,
    0xcb, 0x79, 0xe6, 0x4e, 0xcc, 0xc0, 0xe5, 0x78, 0x82, 0x5a, 0xd0, 0x7d, 0xcc, 0xff, 0x72, 0x21,
    0xb8, 0x08, 0x46, 0x74, 0xf7, 0x43, 0x24, 0x8e, 0xe0, 0x35, 0x90, 0xe6, 0x81, 0x3a, 0x26, 0x4c,
    0x3c, 0x28, 0x52, 0xbb, 0x91, 0xc3, 0x00, 0xcb, 0x88, 0xd0, 0x65, 0x8b, 0x1b, 0x53, 0x2e, 0xa3,
    0x71, 0x64, 0x48, 0x97, 0xa2, 0x0d, 0xf9, 0x4e, 0x38, 0x19, 0xef, 0x46, 0xa9, 0xde, 0xac, 0xd8,
    0xa8, 0xfa, 0x76, 0x3f, 0xe3, 0x9c, 0x34, 0x3f, 0xf9, 0xdc, 0xbb, 0xc7, 0xc7, 0x0b, 0x4f, 0x1d,
    0x8a, 0x51, 0xe0, 0x4b, 0xcd, 0xb4, 0x59, 0x31, 0xc8, 0x9f, 0x7e, 0xc9, 0xd9, 0x78, 0x73, 0x64,
    0xea, 0xc5, 0xac, 0x83, 0x34, 0xd3, 0xeb, 0xc3, 0xc5, 0x81, 0xa0, 0xff, 0xfa, 0x13, 0x63, 0xeb,
    0x17, 0x0d, 0xdd, 0x51, 0xb7, 0xf0, 0xda, 0x49, 0xd3, 0x16, 0x55, 0x26, 0x29, 0xd4, 0x68, 0x9e,
    0x2b, 0x16, 0xbe, 0x58, 0x7d, 0x47, 0xa1, 0xfc, 0x8f, 0xf8, 0xb8, 0xd1, 0x7a, 0xd0, 0x31, 0xce,
    0x45, 0xcb, 0x3a, 0x8f, 0x95, 0x16, 0x04, 0x28, 0xaf, 0xd7, 0xfb, 0xca, 0xbb, 0x4b, 0x40, 0x7e,
};

typedef struct {
    uint64_t low, high;
} Hash;

static inline uint64_t turned_64(uint64_t word) { return __builtin_bswap64(word); }
static inline uint32_t turned_32(uint32_t word) { return __builtin_bswap32(word); }

static inline uint64_t word_64(const unsigned char *at) {
    uint64_t word;
    memcpy(&word, at, 8);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? turned_64(word) : word;
}

static inline uint32_t word_32(const unsigned char *at) {
    uint32_t word;
    memcpy(&word, at, 4);
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? turned_32(word) : word;
}

/* Write a word as digests have it, with the most significant byte first. */
static inline void write_64(unsigned char *at, uint64_t word) {
    if (__BYTE_ORDER__ != __ORDER_BIG_ENDIAN__)
        word = turned_64(word);
    memcpy(at, &word, 8);
}

/* Return the xor of two words of the secret. */
static inline uint64_t secret_64(int at) { return word_64(default_secret + at) ^ word_64(default_secret + at + 8); }
static inline uint32_t secret_32(int at) { return word_32(default_secret + at) ^ word_32(default_secret + at + 4); }

static inline Hash product(uint64_t one, uint64_t other) {
    unsigned __int128 whole = (unsigned __int128)one * other;
    return (Hash){(uint64_t)whole, (uint64_t)(whole >> 64)};
}

static inline uint64_t folded(uint64_t one, uint64_t other) {
    Hash whole = product(one, other);
    return whole.low ^ whole.high;
}

static inline uint64_t rotated(uint64_t word, int by) { return word << by | word >> (64 - by); }
static inline uint64_t shifted(uint64_t word, int by) { return word ^ word >> by; }

/* avalanche */
static inline uint64_t spread(uint64_t word) { return shifted(shifted(word, 37) * PRIME_MX1, 32); }

/* -- up to 16 bytes ----------------------------------------------------------------------------------------------- */

static uint64_t short_64(const unsigned char *in, size_t length, uint64_t seed) {
    if (length > 8) {
        uint64_t low = (secret_64(24) + seed) ^ word_64(in), high = (secret_64(40) - seed) ^ word_64(in + length - 8);
        return spread(length + turned_64(low) + high + folded(low, high));
    }
    if (length > 3) {
        uint64_t word = word_32(in + length - 4) | (uint64_t)word_32(in) << 32;
        word ^= secret_64(8) - (seed ^ (uint64_t)turned_32((uint32_t)seed) << 32);
        word = (word ^ rotated(word, 49) ^ rotated(word, 24)) * PRIME_MX2;
        return shifted((word ^ ((word >> 35) + length)) * PRIME_MX2, 28);
    }
    uint32_t bytes = in[length - 1] | (uint32_t)length << 8 | (uint32_t)in[0] << 16 | (uint32_t)in[length >> 1] << 24;
    uint64_t word = bytes ^ (secret_32(0) + seed);
    return shifted(shifted(shifted(word, 33) * PRIME64_2, 29) * PRIME64_3, 32); /* avalanche_XXH64 */
}

static Hash short_128(const unsigned char *in, size_t length, uint64_t seed) {
    if (length > 8) {
        uint64_t last = word_64(in + length - 8), word = (secret_64(48) + seed) ^ last;
        Hash hash = product((secret_64(32) - seed) ^ word_64(in) ^ last, PRIME64_1);
        hash.low += (uint64_t)(length - 1) << 54;
        hash.high += (word & 0xFFFFFFFF00000000u) + (word & 0xFFFFFFFFu) * PRIME32_2;
        uint64_t high = hash.high * PRIME64_2;
        hash = product(hash.low ^ turned_64(hash.high), PRIME64_2);
        return (Hash){spread(hash.low), spread(hash.high + high)};
    }
    seed ^= (uint64_t)turned_32((uint32_t)seed) << 32;
    uint64_t word = word_32(in) | (uint64_t)word_32(in + length - 4) << 32;
    Hash hash = product((secret_64(16) + seed) ^ word, PRIME64_1 + (length << 2));
    hash.high += hash.low << 1;
    hash.low ^= hash.high >> 3;
    return (Hash){shifted(shifted(hash.low, 35) * PRIME_MX2, 28), spread(hash.high)};
}

/* -- 17 to 240 bytes ---------------------------------------------------------------------------------------------- */

/* mixStep */
static inline uint64_t mixed(const unsigned char *in, int at, uint64_t seed) {
    const unsigned char *secret = default_secret + at;
    return folded(word_64(in) ^ (word_64(secret) + seed), word_64(in + 8) ^ (word_64(secret + 8) - seed));
}

/* mixTwoChunks */
static inline void mix_two(Hash *sums, const unsigned char *one, const unsigned char *other, int at, uint64_t seed) {
    sums->low = (sums->low + mixed(one, at, seed)) ^ (word_64(other) + word_64(other + 8));
    sums->high = (sums->high + mixed(other, at + 16, seed)) ^ (word_64(one) + word_64(one + 8));
}

static uint64_t medium_64(const unsigned char *in, size_t length, uint64_t seed) {
    uint64_t sum = length * PRIME64_1;
    if (length <= 128) {
        for (int i = (int)(length - 1) / 32; i >= 0; i--)
            sum += mixed(in + 16 * i, 32 * i, seed) + mixed(in + length - 16 * i - 16, 32 * i + 16, seed);
        return spread(sum);
    }
    for (int i = 0; i < 8; i++)
        sum += mixed(in + 16 * i, 16 * i, seed);
    sum = spread(sum);
    for (int i = 8; i < (int)length / 16; i++)
        sum += mixed(in + 16 * i, 16 * (i - 8) + 3, seed);
    return spread(sum + mixed(in + length - 16, 119, seed));
}

static Hash medium_128(const unsigned char *in, size_t length, uint64_t seed) {
    Hash sums = {length * PRIME64_1, 0};
    if (length <= 128) {
        for (int i = (int)(length - 1) / 32; i >= 0; i--)
            mix_two(&sums, in + 16 * i, in + length - 16 * i - 16, 32 * i, seed);
    } else {
        for (int i = 0; i < 4; i++)
            mix_two(&sums, in + 32 * i, in + 32 * i + 16, 32 * i, seed);
        sums = (Hash){spread(sums.low), spread(sums.high)};
        for (int i = 4; i < (int)length / 32; i++)
            mix_two(&sums, in + 32 * i, in + 32 * i + 16, 32 * (i - 4) + 3, seed);
        mix_two(&sums, in + length - 16, in + length - 32, 103, -seed);
    }
    uint64_t high = sums.low * PRIME64_1 + sums.high * PRIME64_4 + (length - seed) * PRIME64_2;
    return (Hash){spread(sums.low + sums.high), -spread(high)};
}

/* -- more than 240 bytes ------------------------------------------------------------------------------------------ */

static inline void accumulate(uint64_t *sums, const unsigned char *in, const unsigned char *secret) {
    for (int i = 0; i < 8; i++) {
        uint64_t word = word_64(in + 8 * i), key = word ^ word_64(secret + 8 * i);
        sums[i ^ 1] += word;
        sums[i] += (key & 0xFFFFFFFFu) * (key >> 32);
    }
}

static inline void scramble(uint64_t *sums, const unsigned char *secret) {
    for (int i = 0; i < 8; i++)
        sums[i] = (shifted(sums[i], 47) ^ word_64(secret + 8 * i)) * PRIME32_1;
}

/* finalMerge */
static inline uint64_t merged(const uint64_t *sums, const unsigned char *secret, uint64_t start) {
    for (int i = 0; i < 8; i += 2)
        start += folded(sums[i] ^ word_64(secret + 8 * i), sums[i + 1] ^ word_64(secret + 8 * i + 8));
    return spread(start);
}

static Hash long_128(const unsigned char *in, size_t length, uint64_t seed) {
    uint64_t sums[8] = {PRIME32_3, PRIME64_1, PRIME64_2, PRIME64_3, PRIME64_4, PRIME32_2, PRIME64_5, PRIME32_1};
    unsigned char secret[SECRET];
    for (int i = 0; i < SECRET; i += 16) { /* deriveSecret, whose words are little-endian */
        write_64(secret + i, turned_64(word_64(default_secret + i) + seed));
        write_64(secret + i + 8, turned_64(word_64(default_secret + i + 8) - seed));
    }
    for (size_t left = (length - 1) / STRIPE, at = 0; left; at += STRIPES * STRIPE) {
        size_t stripes = left < STRIPES ? left : STRIPES;
        for (size_t i = 0; i < stripes; i++)
            accumulate(sums, in + at + STRIPE * i, secret + 8 * i);
        left -= stripes;
        if (stripes == STRIPES)
            scramble(sums, secret + SECRET - STRIPE);
    }
    accumulate(sums, in + length - STRIPE, secret + SECRET - STRIPE - 7);
    return (Hash){
        merged(sums, secret + 11, length * PRIME64_1),
        merged(sums, secret + SECRET - STRIPE - 11, ~(length * PRIME64_2)),
    };
}

static inline uint64_t xxh3_64(const unsigned char *in, size_t length, uint64_t seed) {
    return length <= 16    ? short_64(in, length, seed)
           : length <= 240 ? medium_64(in, length, seed)
                           : long_128(in, length, seed).low;
}

static inline Hash xxh3_128(const unsigned char *in, size_t length, uint64_t seed) {
    return length <= 16    ? short_128(in, length, seed)
           : length <= 240 ? medium_128(in, length, seed)
                           : long_128(in, length, seed);
}
