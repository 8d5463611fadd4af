// Work that is divided among machines or processes.
#pragma once

#include <cstdint>

namespace nngpcheck::support {

/// Part `index` of `count`, 0 ≤ index < count.
struct Part {
  std::int64_t index = 0;
  std::int64_t count = 1;
};

}  // namespace nngpcheck::support
