// Lists of layers, which layers may have as parts.
#pragma once

#include <vector>

namespace nngpcheck::architectures {

struct Layer;  // in layers.hpp

/// A std::vector whose own members are compiled where a Layer is known, so that a Layer may hold lists of
/// them.
struct Layers : std::vector<Layer> {
  using std::vector<Layer>::vector;
  Layers() noexcept;
  Layers(const Layers& other);
  Layers(Layers&& other) noexcept;
  Layers& operator=(const Layers& other);
  Layers& operator=(Layers&& other) noexcept;
  ~Layers();
};

}  // namespace nngpcheck::architectures
