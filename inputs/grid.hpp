// Samples as inputs of a network.
#pragma once

#include <string>
#include <vector>

#include "nngpcheck/inputs/inputs.hpp"

namespace nngpcheck::inputs {

/// Columns as samples of their own. Their labels are these texts, if they are distinct; otherwise "0", "1",
/// …, with the texts behind the numbers, if there are any.
Inputs as_vectors(Eigen::MatrixXd samples, const std::vector<std::string>& texts = {});

/// Where a sample has its channels.
enum class Layout {
  channels_first,  // all positions of channel 0, then all of channel 1, …: PyTorch
  channels_last,   // all channels at the first position, then all at the second, …: TensorFlow, JAX
};

/// Samples on a grid of P positions, which are in row-major order. Column s of `samples` (d·P rows) becomes
/// the P columns s·P, …, with d channels each. Labels are "s:p_1,p_2,…", such as "3:5,7". Precondition: P
/// divides the number of rows.
Inputs as_grids(const Eigen::MatrixXd& samples, const std::vector<Eigen::Index>& grid,
                Layout layout = Layout::channels_first);

/// Sequences of `dimension` numbers per token, token by token in the columns of `samples`; of column s the
/// first lengths[s] tokens. Labels are "s:t". Precondition: there are as many lengths as columns, and so many
/// tokens.
Inputs as_sequences(const Eigen::MatrixXd& samples, Eigen::Index dimension,
                    const std::vector<Eigen::Index>& lengths);

}  // namespace nngpcheck::inputs
