// Loops for vectors of every width that machines have.
#pragma once

/// Before a function: it is compiled for each width, and which one runs is chosen when the program starts.
/// Where products and sums are not fused (-ffp-contract=off, CMakeLists.txt), all give the same bits.
#if defined(__x86_64__) && defined(__linux__)
#define NNGPCHECK_FOR_EVERY_WIDTH __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define NNGPCHECK_FOR_EVERY_WIDTH
#endif
