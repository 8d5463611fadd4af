#include "nngpcheck/empirical/exact/regions.hpp"

#include <algorithm>
#include <cmath>
#include <map>

namespace nngpcheck::empirical {

namespace {

class FreeSpace {
 public:
  double take(double bytes) {
    for (auto part = free_.begin(); part != free_.end(); ++part) {
      const auto [offset, size] = *part;
      if (size < bytes) continue;
      free_.erase(part);
      if (size > bytes) free_[offset + bytes] = size - bytes;
      return offset;
    }
    double offset = end_;
    if (!free_.empty() && free_.rbegin()->first + free_.rbegin()->second == end_) {
      offset = free_.rbegin()->first;
      free_.erase(offset);
    }
    end_ = offset + bytes;
    return offset;
  }

  void give(double offset, double bytes) {
    auto next = free_.lower_bound(offset);
    if (next != free_.begin()) {
      const auto previous = std::prev(next);
      if (previous->first + previous->second == offset) {
        offset = previous->first;
        bytes += previous->second;
        free_.erase(previous);
      }
    }
    if (next != free_.end() && offset + bytes == next->first) {
      bytes += next->second;
      free_.erase(next);
    }
    free_[offset] = bytes;
  }

  double end() const { return end_; }

 private:
  std::map<double, double> free_;  // offset, size
  double end_ = 0;
};

}  // namespace

double place(const std::vector<Region*>& regions) {
  std::vector<Region*> starting = regions;
  std::stable_sort(starting.begin(), starting.end(),
                   [](const Region* a, const Region* b) { return a->first < b->first; });
  std::multimap<std::size_t, const Region*> ending;
  FreeSpace space;
  for (Region* region : starting) {
    while (!ending.empty() && ending.begin()->first < region->first) {
      space.give(ending.begin()->second->offset, ending.begin()->second->bytes);
      ending.erase(ending.begin());
    }
    region->bytes = std::ceil(region->bytes / region_alignment) * region_alignment;
    if (region->bytes == 0) continue;
    region->offset = space.take(region->bytes);
    ending.emplace(region->last, region);
  }
  return space.end();
}

}  // namespace nngpcheck::empirical
