// Networks a second time, made of stock torch::nn modules. A program and its twin with the same weights give
// the same numbers: that is how a program is known to be the architecture.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <string>

#include "nngpcheck/architectures/network.hpp"
#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::empirical {

/// The random objects of one network by name: weights as matrices, biases as one column.
using Parameters = std::map<std::string, Eigen::MatrixXd>;

/// What the entries of a random object are drawn from.
struct Law {
  double mean = 0;
  double variance = 1;
};
using Laws = std::map<std::string, Law>;

/// Those of network `network`, the very numbers that the samplers draw in float64.
/// Throws netsor::ProgramError if a width of the program is no integer at base width `width`.
Parameters draw_parameters(const netsor::Program& program, std::int64_t width, std::uint64_t seed,
                           std::uint64_t network);

/// The output values X of the network with these weights, float64: rows are the blocks' coordinates stacked,
/// one column per output column. All sizes are those of the parameters and what torch::nn makes of them.
/// Modules are fused where LibTorch's conventions allow it; the activations that torch::nn lacks are
/// functions in a torch::nn::Functional. Throws SamplerError if a parameter is missing or torch::nn has no
/// such layer: grids of more than three axes.
Eigen::MatrixXd twin(const architectures::Network& network, const inputs::Inputs& inputs,
                     const Parameters& parameters);

/// The law that each of these parameters should have, by its layer and the module that it goes into: a weight
/// the layer's option over the fan-in that torch::nn::init counts. Only what the network reads. Throws as
/// twin() does.
Laws twin_laws(const architectures::Network& network, const inputs::Inputs& inputs,
               const Parameters& parameters);

}  // namespace nngpcheck::empirical
