// Programs for the tests of the sampler.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/inputs/inputs.hpp"
#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::testing {

struct NamedProgram {
  std::string name;
  netsor::Program program;
};

/// d×m numbers of moderate size, the same at every call.
Eigen::MatrixXd some_data(Eigen::Index rows, Eigen::Index columns);

/// Plain vectors, or sequences of these lengths.
inputs::Inputs vectors(Eigen::Index dimension, Eigen::Index count);
inputs::Inputs sequences(Eigen::Index dimension, std::vector<Eigen::Index> lengths);

/// One program per instruction and function of tables, and some that combine many; widths that are multiples
/// of 4.
std::vector<NamedProgram> instruction_programs();

}  // namespace nngpcheck::testing
