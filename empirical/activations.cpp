#include "empirical/activations.hpp"

#include <numbers>

namespace nngpcheck::empirical {

namespace {

using Kind = netsor::Activation::Kind;

at::Tensor power(const at::Tensor& x, int exponent) {
  at::Tensor result = x.clone();
  for (int k = 1; k < exponent; ++k) result.mul_(x);
  return result;
}

at::Tensor call(const std::function<double(double)>& function, const at::Tensor& x) {
  at::Tensor values = x.to(at::kCPU, at::kDouble).clone(at::MemoryFormat::Contiguous);
  double* data = values.data_ptr<double>();
  for (std::int64_t k = 0; k < values.numel(); ++k) data[k] = function(data[k]);
  return values.to(x.options());
}

at::Tensor evaluate(const netsor::Activation& activation, const at::Tensor& x) {
  switch (activation.kind()) {
    case Kind::identity:
      return x;
    case Kind::relu:
      return x.clamp_min(0);
    case Kind::leaky_relu:
      return at::where(x > 0, x, x * activation.parameter());
    case Kind::abs:
      return x.abs();
    case Kind::step:
      return (x > 0).to(x.scalar_type());
    case Kind::sign:
      return x.sign();
    case Kind::square:
      return x * x;
    case Kind::relu_squared:
      return power(x.clamp_min(0), 2);
    case Kind::power:
      return power(x, static_cast<int>(activation.parameter()));
    case Kind::rectified_power:
      return power(x.clamp_min(0), static_cast<int>(activation.parameter()));
    case Kind::erf:
      return x.erf();
    case Kind::erf_sigmoid:
      return (-x).erfc() * 0.5;
    case Kind::sigmoid:
      return x.sigmoid();
    case Kind::tanh:
      return x.tanh();
    case Kind::hardtanh:
      return x.clamp(-1, 1);
    case Kind::gelu:
      return x * ((x * -std::numbers::sqrt2 / 2).erfc() * 0.5);
    case Kind::silu:
      return x * x.sigmoid();
    case Kind::softplus:
      return x.clamp_min(0) + (-x.abs()).exp().log1p();
    case Kind::elu:
      return at::where(x > 0, x, x.clamp_max(0).expm1());
    case Kind::sin:
      return x.sin();
    case Kind::cos:
      return x.cos();
    case Kind::exp:
      return x.exp();
    case Kind::gaussian:
      return (-(x * x)).exp();
    case Kind::custom:
      return call(activation.function(), x);
  }
  return {};
}

}  // namespace

at::Tensor apply_activation(const netsor::Activation& activation, const at::Tensor& x) {
  if (activation.kind() == Kind::custom) return evaluate(activation, x);
  // LibTorch's vectorised loops hand the entries that are left over to scalar code, which rounds differently:
  // padding leaves none over, so that an entry's place in the tensor does not matter.
  constexpr std::int64_t multiple = 64;
  const std::int64_t size = x.numel();
  if (size % multiple == 0 && x.is_contiguous()) return evaluate(activation, x);
  at::Tensor padded = at::empty({(size + multiple - 1) / multiple * multiple}, x.options());
  padded.narrow(0, 0, size).view(x.sizes()).copy_(x);
  padded.narrow(0, size, padded.numel() - size).zero_();
  return evaluate(activation, padded).narrow(0, 0, size).view(x.sizes());
}

}  // namespace nngpcheck::empirical
