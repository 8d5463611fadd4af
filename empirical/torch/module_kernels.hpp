// Empirical kernels of somebody's own torch::nn modules. Public, and the only such header of empirical/ that
// includes LibTorch: it belongs to the target nngpcheck::modules.
#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/container/any.h>
#include <torch/types.h>

#include <Eigen/Core>
#include <cstdint>
#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "nngpcheck/empirical/sampler.hpp"

namespace nngpcheck::empirical {

/// F = f(X): X the inputs [m, …], F [m, k].
using Forward = std::function<torch::Tensor(const torch::Tensor&)>;

/// A freshly initialised network of that width.
using NetworkFactory = std::function<Forward(std::int64_t width)>;

/// `network` is a std::shared_ptr to a module with forward(Tensor) -> Tensor, a ModuleHolder of one (what
/// TORCH_MODULE declares), a torch::nn::AnyModule, or a function Tensor -> Tensor.
/// Throws SamplerError if it is empty.
template <class Network>
Forward forward_of(Network network) {
  static_assert(std::is_copy_constructible_v<Network>, "return the module as a std::shared_ptr");
  const auto require = [](bool there) {
    if (!there) throw SamplerError("the factory returned no module but an empty pointer");
  };
  if constexpr (std::is_same_v<Network, torch::nn::AnyModule>) {
    require(!network.is_empty());
    return [network](const torch::Tensor& inputs) mutable { return network.forward(inputs); };
  } else if constexpr (std::is_invocable_r_v<torch::Tensor, Network&, const torch::Tensor&>) {
    if constexpr (std::is_constructible_v<bool, Network&>) require(static_cast<bool>(network));
    return [network](const torch::Tensor& inputs) mutable -> torch::Tensor { return network(inputs); };
  } else {
    require(network != nullptr);
    return [network](const torch::Tensor& inputs) -> torch::Tensor { return network->forward(inputs); };
  }
}

/// From a function std::int64_t width -> what forward_of() takes.
template <class Factory>
NetworkFactory network_factory(Factory factory) {
  return [factory = std::move(factory)](std::int64_t width) mutable { return forward_of(factory(width)); };
}

/// [m, d] from d×m, one column per input; float32, as modules are by default.
torch::Tensor rows_of(const Eigen::MatrixXd& columns);
inline torch::Tensor rows_of(const torch::Tensor& rows) { return rows; }

/// Draws networks one by one: (width, number) -> K = F Fᵀ/k, m×m, in float64. That is the kernel of the last
/// hidden layer if the module returns its k = width units, and the kernel of the outputs if it returns many
/// outputs with independent readouts; K has a limit only if k grows with the width.
///
/// Before each call of the factory, LibTorch's generators are seeded with a hash of (seed, width, number), so
/// that a network is a function of these if the factory draws from them alone. (Of a seed, LibTorch's CPU
/// generator uses 32 bits: two given networks of one width are the same with probability 2^-32.) The factory
/// and the module run in the calling thread, without gradients, with the inputs' dtype as default dtype, and
/// with the module in the mode in which the factory left it. Default dtype and CPU generator are restored
/// afterwards.
///
/// Throws SamplerError at once if the inputs are no floating-point tensor [m, …] on the CPU with finite
/// entries; from a draw if F is no finite [m, k] of the inputs' dtype, if k does not grow with the width, if
/// two networks are the same, or with LibTorch's message if it throws.
std::function<Eigen::MatrixXd(std::int64_t width, std::uint64_t network)> module_kernels(
    NetworkFactory factory, torch::Tensor inputs, std::uint64_t seed);

}  // namespace nngpcheck::empirical
