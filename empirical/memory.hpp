// Memory of the machine.
#pragma once

#include <cstddef>

namespace nngpcheck::empirical {

/// Bytes that this process may still take: what Linux calls available, within the limit of its control group.
double available_memory();

/// Asks for large pages for memory that is not touched yet: fewer faults at first, and fewer misses of the
/// processor's page table later. Only a request.
void prefer_large_pages(void* begin, std::size_t bytes);

}  // namespace nngpcheck::empirical
