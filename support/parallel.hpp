// Work on several threads.
#pragma once

#include <cstddef>
#include <functional>

namespace nngpcheck::support {

/// As many as the machine has for 0.
std::size_t threads_asked(int threads);

/// Calls work(0) … work(count - 1), which begin in this order, on so many threads. After one of them throws
/// no other begins; the first one's exception of those that threw is thrown again.
void in_parallel(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& work);

}  // namespace nngpcheck::support
