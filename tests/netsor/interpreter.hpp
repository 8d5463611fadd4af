// A second meaning of programs, for tests only: every instruction evaluated at a small width on explicit
// matrices, straight from its definition in netsor/operation.hpp.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "nngpcheck/netsor/program.hpp"

namespace nngpcheck::testing {

/// The random objects by name: U, W as matrices, b as one column.
using Weights = std::map<std::string, Eigen::MatrixXd>;

/// Fixed matrices with the variances that the program states, at base width n. An object's entries depend on
/// its name, size and variance alone, so programs that share names share weights.
Weights draw(const netsor::Program& program, std::int64_t n);

/// What each instruction makes: a bundle as width × columns, a table as it is.
std::vector<Eigen::MatrixXd> evaluate(const netsor::Program& program, const Weights& weights, std::int64_t n);

/// What one instruction makes of these values in place of what the instructions before it make.
Eigen::MatrixXd evaluate(const netsor::Program& program, const Weights& weights, std::int64_t n,
                         std::size_t index, std::vector<Eigen::MatrixXd> values);

/// The output blocks on top of each other, one column per output.
Eigen::MatrixXd outputs(const netsor::Program& program, const Weights& weights, std::int64_t n);

}  // namespace nngpcheck::testing
