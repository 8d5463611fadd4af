#include "nngpcheck/empirical/interpreter/activations.hpp"

#include <numbers>

#include "nngpcheck/empirical/interpreter/expression.hpp"
#include "nngpcheck/empirical/random/simd.hpp"

namespace nngpcheck::empirical {

namespace {

using Kind = netsor::Activation::Kind;

void multiply_power(const at::Tensor& x, int exponent, at::Tensor& y) {
  for (int k = 1; k < exponent; ++k) y.mul_(x);
}

void call(const std::function<double(double)>& function, const at::Tensor& x, at::Tensor& y) {
  const at::Tensor values = x.to(at::kCPU, at::kDouble).clone(at::MemoryFormat::Contiguous);
  double* data = values.data_ptr<double>();
  for (std::int64_t k = 0; k < values.numel(); ++k) data[k] = function(data[k]);
  y.copy_(values);
}

// Several times faster than LibTorch's.
bool scaled_erf(const at::Tensor& x, double scale, double shift, at::Tensor& y) {
  if (!x.is_cpu() || x.scalar_type() != at::kDouble || !x.is_contiguous()) return false;
  simd().erf(x.data_ptr<double>(), static_cast<std::size_t>(x.numel()), scale, shift, y.data_ptr<double>());
  return true;
}

}  // namespace

void apply_activation(const netsor::Activation& activation, const at::Tensor& x, at::Tensor& y) {
  switch (activation.kind()) {
    case Kind::identity:
      y.copy_(x);
      return;
    case Kind::relu:
      at::clamp_min_out(y, x, 0);
      return;
    case Kind::leaky_relu:
      at::leaky_relu_out(y, x, activation.parameter());
      return;
    case Kind::abs:
      at::abs_out(y, x);
      return;
    case Kind::step:
      at::heaviside_out(y, x, at::zeros({}, x.options()));
      return;
    case Kind::sign:
      at::sign_out(y, x);
      return;
    case Kind::square:
      at::mul_out(y, x, x);
      return;
    case Kind::relu_squared:
      at::clamp_min_out(y, x, 0).mul_(y);
      return;
    case Kind::power:
      y.copy_(x);
      multiply_power(x, static_cast<int>(activation.parameter()), y);
      return;
    case Kind::rectified_power:  // x^(k-1) max(x, 0): both are 0 below 0
      at::clamp_min_out(y, x, 0);
      multiply_power(x, static_cast<int>(activation.parameter()), y);
      return;
    case Kind::erf:
      if (!scaled_erf(x, 1, 0, y)) at::erf_out(y, x);
      return;
    case Kind::erf_sigmoid:
      if (!scaled_erf(x, 0.5, 0.5, y)) at::erf_out(y, x).mul_(0.5).add_(0.5);
      return;
    case Kind::sigmoid:
      at::sigmoid_out(y, x);
      return;
    case Kind::tanh:
      at::tanh_out(y, x);
      return;
    case Kind::hardtanh:
      at::clamp_out(y, x, -1, 1);
      return;
    case Kind::gelu:  // x Φ(x), Φ to an absolute error, which is what its product with x needs
      at::mul_out(y, x, at::scalar_tensor(std::numbers::sqrt2 / 2, x.options()));
      if (!scaled_erf(y, 0.5, 0.5, y)) y.erf_().mul_(0.5).add_(0.5);
      y.mul_(x);
      return;
    case Kind::silu:
      at::sigmoid_out(y, x).mul_(x);
      return;
    case Kind::softplus:
      at::abs_out(y, x).neg_().exp_().log1p_().add_(x.clamp_min(0));
      return;
    case Kind::elu:
      at::elu_out(y, x);
      return;
    case Kind::sin:
      at::sin_out(y, x);
      return;
    case Kind::cos:
      at::cos_out(y, x);
      return;
    case Kind::exp:
      at::exp_out(y, x);
      return;
    case Kind::gaussian:
      at::mul_out(y, x, x).neg_().exp_();
      return;
    case Kind::expression:
      apply_expression(activation.expression(), {&x, 1}, y);
      return;
    case Kind::custom:
      call(activation.function(), x, y);
      return;
  }
}

}  // namespace nngpcheck::empirical
