#include "nngpcheck/empirical/torch/module_kernels.hpp"

#include <torch/torch.h>

#include <array>
#include <map>
#include <optional>
#include <sstream>
#include <string>

namespace nngpcheck::empirical {

namespace {

std::string shape_text(const torch::Tensor& tensor) {
  std::ostringstream text;
  text << tensor.sizes();
  return text.str();
}

/// Of splitmix64: a bijection that spreads every bit.
std::uint64_t spread(std::uint64_t x) {
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

std::uint64_t hash(std::uint64_t seed, std::int64_t width, std::uint64_t network) {
  constexpr std::uint64_t golden = 0x9e3779b97f4a7c15u;
  return spread(spread(spread(seed + golden) + static_cast<std::uint64_t>(width) + golden) + network +
                golden);
}

/// Gives back the default dtype and the CPU generator's state.
class RestoreTorchState {
 public:
  RestoreTorchState() : generator_(at::detail::getDefaultCPUGenerator()), state_(state()) {}
  ~RestoreTorchState() {
    torch::set_default_dtype(dtype_);
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    generator_.set_state(state_);
  }
  RestoreTorchState(const RestoreTorchState&) = delete;
  RestoreTorchState& operator=(const RestoreTorchState&) = delete;

 private:
  torch::Tensor state() {
    const std::lock_guard<std::mutex> lock(generator_.mutex());
    return generator_.get_state();
  }

  caffe2::TypeMeta dtype_ = torch::get_default_dtype();
  at::Generator generator_;
  torch::Tensor state_;
};

class ModuleKernels {
 public:
  ModuleKernels(NetworkFactory factory, torch::Tensor inputs, std::uint64_t seed)
      : factory_(std::move(factory)), inputs_(std::move(inputs)), seed_(seed) {
    if (!inputs_.defined() || inputs_.dim() < 1 || inputs_.numel() == 0 || !inputs_.is_floating_point() ||
        !inputs_.device().is_cpu()) {
      throw SamplerError("the inputs must be a floating-point tensor [m, d] on the CPU, one row per input; " +
                         (inputs_.defined() ? "they are " + shape_text(inputs_) + " of " + inputs_.toString()
                                            : std::string("it is undefined")));
    }
    if (!torch::isfinite(inputs_).all().item<bool>()) {
      throw SamplerError("the inputs are not finite everywhere");
    }
  }

  Eigen::MatrixXd operator()(std::int64_t width, std::uint64_t network) {
    const std::string where =
        "width " + std::to_string(width) + ", network " + std::to_string(network) + ": ";
    const torch::NoGradGuard no_gradients;
    const torch::Tensor features = outputs(where, width, network);
    check_shape(where, features);
    check_growth(where, width, features.size(1));
    const torch::Tensor wide = features.to(torch::kCPU, torch::kFloat64);
    if (!torch::isfinite(wide).all().item<bool>()) {
      throw SamplerError(where + "the module's output is not finite everywhere; check its initialisation");
    }
    check_difference(where, width, network, wide);
    const torch::Tensor kernel = (wide.matmul(wide.t()) / static_cast<double>(wide.size(1))).contiguous();
    // Symmetric up to rounding, if at all: row-major is column-major.
    return Eigen::Map<const Eigen::MatrixXd>(kernel.data_ptr<double>(), kernel.size(0), kernel.size(1));
  }

 private:
  torch::Tensor outputs(const std::string& where, std::int64_t width, std::uint64_t network) const {
    const RestoreTorchState restore;
    torch::set_default_dtype(inputs_.dtype());
    torch::manual_seed(hash(seed_, width, network));
    try {
      const Forward forward = factory_(width);
      return forward(inputs_.clone());  // modules may work in place
    } catch (const c10::Error& error) {
      throw SamplerError(where + "LibTorch says: " + error.what_without_backtrace());
    } catch (const SamplerError& error) {
      throw SamplerError(where + error.what());
    }
  }

  void check_shape(const std::string& where, const torch::Tensor& features) const {
    const std::int64_t m = inputs_.size(0);
    const std::string maps =
        where + "the module maps " + std::to_string(m) + " inputs " + shape_text(inputs_);
    if (!features.defined()) throw SamplerError(maps + " to an undefined tensor");
    if (features.dim() != 2 || features.size(0) != m || features.size(1) == 0) {
      throw SamplerError(maps + " to " + shape_text(features) + ": it must be [" + std::to_string(m) +
                         ", k], one row per input; flatten or pool what else there is");
    }
    if (features.dtype() != inputs_.dtype()) {
      throw SamplerError(maps + " of " + inputs_.toString() + " to " + features.toString() +
                         ": give inputs of the dtype in which the module computes");
    }
  }

  void check_growth(const std::string& where, std::int64_t width, std::int64_t k) {
    columns_[width] = k;
    const auto here = columns_.find(width);
    const auto complain = [&](std::int64_t narrow, std::int64_t wide) {
      throw SamplerError(
          where + "the module returns k = " + std::to_string(columns_[wide]) + " columns at width " +
          std::to_string(wide) + " and " + std::to_string(columns_[narrow]) + " at width " +
          std::to_string(narrow) +
          ": F Fᵀ/k has a limit only if k grows with the width; return the last hidden layer, or "
          "make the number of outputs a multiple of the width");
    };
    if (here != columns_.begin()) {
      const auto below = std::prev(here);
      if (below->second >= k) complain(below->first, width);
    }
    const auto above = std::next(here);
    if (above != columns_.end() && above->second <= k) complain(width, above->first);
  }

  void check_difference(const std::string& where, std::int64_t width, std::uint64_t network,
                        const torch::Tensor& features) {
    const auto [first, fresh] = first_.try_emplace(width, First{network, features});
    if (fresh || first->second.network == network) return;
    if (!first->second.features.equal(features) || !features.any().item<bool>()) return;
    throw SamplerError(where + "the output is exactly that of network " +
                       std::to_string(first->second.network) +
                       ": the factory must initialise a new network at every call, and draw from LibTorch's "
                       "default generator without seeding it");
  }

  struct First {
    std::uint64_t network;
    torch::Tensor features;
  };

  NetworkFactory factory_;
  torch::Tensor inputs_;
  std::uint64_t seed_;
  std::map<std::int64_t, std::int64_t> columns_;  // k by width
  std::map<std::int64_t, First> first_;           // by width
};

}  // namespace

torch::Tensor rows_of(const Eigen::MatrixXd& columns) {
  // Column-major d×m is row-major m×d.
  torch::Tensor rows = torch::empty({columns.cols(), columns.rows()}, torch::kFloat64);
  std::copy(columns.data(), columns.data() + columns.size(), rows.data_ptr<double>());
  return rows.to(torch::kFloat32);
}

std::function<Eigen::MatrixXd(std::int64_t, std::uint64_t)> module_kernels(NetworkFactory factory,
                                                                           torch::Tensor inputs,
                                                                           std::uint64_t seed) {
  // Shared: std::function may be copied, what is known of the widths must not.
  const auto kernels = std::make_shared<ModuleKernels>(std::move(factory), std::move(inputs), seed);
  return [kernels](std::int64_t width, std::uint64_t network) { return (*kernels)(width, network); };
}

}  // namespace nngpcheck::empirical
