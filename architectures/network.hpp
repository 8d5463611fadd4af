// A network architecture, and the program that it makes of some inputs.
#pragma once

#include "nngpcheck/architectures/layers/layers.hpp"
#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::architectures {

/// All layers have names. The readout y = vᵀX/√n + b, v ~ N(0, readout_variance) and one number b ~ N(0,
/// readout_bias_variance), acts on every column of the last layer's signal. b is written as a further block
/// of as many coordinates as X has, all √(readout_bias_variance/readout_variance): the same law.
struct Network {
  Layers layers;
  double readout_variance = 1;
  double readout_bias_variance = 0;
};

/// Names the layers that have none. Throws ArchitectureError if an option is out of range, or there is a
/// readout bias beside a readout of variance 0.
Network network(Layers layers, double readout_variance = 1, double readout_bias_variance = 0);

/// What every named architecture and every list of layers may be given.
struct ReadoutBias {
  double readout_bias_variance = 0;
  static std::vector<Field<ReadoutBias>> fields();
};

/// The network applied to inputs. Output columns are labelled as the inputs while the sites are those of the
/// inputs; else by the sample's number, with ":" and the site's number or grid position behind it where there
/// are several. Throws ArchitectureError if layers and inputs do not fit.
netsor::Program program(const Network& network, const inputs::Inputs& inputs);

}  // namespace nngpcheck::architectures
