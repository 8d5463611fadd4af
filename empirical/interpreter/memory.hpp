// Pages of memory.
#pragma once

#include <cstddef>

namespace nngpcheck::empirical {

/// Asks for large pages for memory that is not touched yet: fewer faults at first, and fewer misses of the
/// processor's page table later. Only a request.
void prefer_large_pages(void* begin, std::size_t bytes);

}  // namespace nngpcheck::empirical
