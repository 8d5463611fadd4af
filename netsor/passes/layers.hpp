// The layers of a program, each read out.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::netsor {

/// The network up to a layer: its kernel is Σ_b (n_b/Σn) E[X_bᵀX_b] over the blocks X_b that the layer hands
/// on.
struct LayerProgram {
  std::string layer;
  Program program;
};

/// One for each layer that the instructions' origins name, in the order in which they end. What a layer hands
/// on are its bundles that other layers or the output read; of those with unequal numbers of columns, the
/// ones with as many as the last. Columns are labelled as the layer's, or by number. Layers that make tables
/// alone, or instructions without an origin, have none.
std::vector<LayerProgram> layer_programs(const Program& program);

}  // namespace nngpcheck::netsor
