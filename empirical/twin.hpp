// The architectures a second time, made of stock torch::nn modules. A program and its twin with the same
// weights give the same numbers: that is how a program is known to be the architecture.
#pragma once

#include <Eigen/Core>
#include <cstdint>
#include <map>
#include <string>

#include "architectures/gru.hpp"
#include "architectures/inputs.hpp"
#include "architectures/lstm.hpp"
#include "architectures/mlp.hpp"
#include "architectures/simple_rnn.hpp"
#include "netsor/program.hpp"

namespace nngpcheck::empirical {

/// The random objects of one network by name: U and W as matrices, b as one column.
using Parameters = std::map<std::string, Eigen::MatrixXd>;

/// Those of network `network`, the very numbers that the samplers draw in float64.
/// Throws netsor::ProgramError if a width of the program is no integer at base width `width`.
Parameters draw_parameters(const netsor::Program& program, std::int64_t width, std::uint64_t seed,
                           std::uint64_t network);

// One function per architecture: its output values X ∈ R^{n×m} in float64, at the width of the parameters.
// Each throws SamplerError if a parameter is missing. Modules are fused where LibTorch's conventions allow
// it; the activations that torch::nn lacks are functions in a torch::nn::Functional.

/// nn::Linear and activation, per layer.
Eigen::MatrixXd mlp_twin(const architectures::MlpOptions& options, const architectures::Inputs& inputs,
                         const Parameters& parameters);

/// nn::RNN for tanh and relu, else nn::Linear on input and state in a loop; sequence by sequence, like the
/// next two.
Eigen::MatrixXd simple_rnn_twin(const architectures::SimpleRnnOptions& options,
                                const architectures::Inputs& inputs, const Parameters& parameters);

/// nn::GRU for the torch convention with tanh and sigmoid, else nn::Linear per gate in a loop.
Eigen::MatrixXd gru_twin(const architectures::GruOptions& options, const architectures::Inputs& inputs,
                         const Parameters& parameters);

/// nn::LSTM for tanh and sigmoid, else nn::Linear per gate in a loop.
Eigen::MatrixXd lstm_twin(const architectures::LstmOptions& options, const architectures::Inputs& inputs,
                          const Parameters& parameters);

}  // namespace nngpcheck::empirical
