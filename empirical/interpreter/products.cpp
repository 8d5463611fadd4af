#include "nngpcheck/empirical/interpreter/products.hpp"

#include <algorithm>
#include <cassert>

#include "nngpcheck/empirical/exact/inner_products.hpp"

namespace nngpcheck::empirical {

namespace {

// So many columns of X stay in the inner caches while W goes by.
constexpr std::size_t columns_at_once = 32;

template <class T>
Rows<T> rows_of(const at::Tensor& matrix) {
  assert(matrix.size(0) == 1 || matrix.size(1) == 1 || matrix.stride(1) == 1);
  return {matrix.data_ptr<T>(), static_cast<std::size_t>(matrix.stride(0)),
          static_cast<std::size_t>(matrix.size(0))};
}

bool is_native(const at::Tensor& tensor) { return tensor.is_cpu() && tensor.scalar_type() == at::kDouble; }

// Network b of a bundle in float64 on the CPU.
at::Tensor native(const at::Tensor& bundle, std::int64_t b) {
  return is_native(bundle) ? bundle.select(1, b) : bundle.select(1, b).to(at::kDouble).to(at::kCPU);
}

// Y += W X, by Simd's product of few columns.
template <class T, class Multiply>
void add_product(const Multiply& multiply, Rows<T> w, Rows<T> x, std::size_t inner, Rows<T> y) {
  for (std::size_t first = 0; first < x.count; first += columns_at_once) {
    const std::size_t count = std::min(columns_at_once, x.count - first);
    multiply(w, {x.row(first), x.stride, count}, inner, {y.row(first), y.stride, count});
  }
}

}  // namespace

void multiply_weights(const at::Tensor& weights, const at::Tensor& bundle, const at::Tensor& result) {
  if (!weights.is_cpu()) {
    result.copy_(at::bmm(weights, bundle.permute({1, 2, 0})).permute({2, 0, 1}));
    return;
  }
  const auto inner = static_cast<std::size_t>(weights.size(2));
  for (std::int64_t b = 0; b < weights.size(0); ++b) {
    const at::Tensor w = weights.select(0, b);
    const at::Tensor x = bundle.select(1, b);
    const at::Tensor y = result.select(1, b);
    y.zero_();
    if (w.scalar_type() == at::kDouble) {
      add_product(simd().multiply, rows_of<double>(w), rows_of<double>(x), inner, rows_of<double>(y));
    } else {
      add_product(simd().multiply_float, rows_of<float>(w), rows_of<float>(x), inner, rows_of<float>(y));
    }
  }
}

Rows<double> columns_of(const at::Tensor& bundle, std::int64_t b) {
  return rows_of<double>(bundle.select(1, b));
}

Eigen::MatrixXd inner_products(const at::Tensor& left, const at::Tensor& right, std::int64_t b) {
  const at::Tensor x = native(left, b);
  const at::Tensor y = left.is_same(right) ? x : native(right, b);
  return inner_products(rows_of<double>(x), rows_of<double>(y), static_cast<std::size_t>(x.size(1)));
}

Eigen::VectorXd diagonal_inner_products(const at::Tensor& left, const at::Tensor& right, std::int64_t b) {
  const at::Tensor x = native(left, b);
  const at::Tensor y = left.is_same(right) ? x : native(right, b);
  const Rows<const double> u = rows_of<double>(x), v = rows_of<double>(y);
  Eigen::VectorXd result(x.size(0));
  for (std::size_t j = 0; j < u.count; ++j) {
    result[static_cast<Eigen::Index>(j)] = inner_products({u.row(j), u.stride, 1}, {v.row(j), v.stride, 1},
                                                          static_cast<std::size_t>(x.size(1)))(0, 0);
  }
  return result;
}

void multiply_table(const at::Tensor& bundle, const Eigen::MatrixXd& table, std::int64_t b,
                    const at::Tensor& result) {
  const at::Tensor x = native(bundle, b), target = result.select(1, b);
  const at::Tensor y = is_native(result) ? target.zero_() : at::zeros(target.sizes(), at::kDouble);
  const Rows<const double> columns{table.data(), static_cast<std::size_t>(table.rows()),
                                   static_cast<std::size_t>(table.cols())};
  simd().combine(columns, rows_of<double>(x), static_cast<std::size_t>(x.size(1)), rows_of<double>(y));
  if (!y.is_same(target)) target.copy_(y);
}

at::Tensor to_tensor(const Eigen::MatrixXd& matrix, const at::TensorOptions& options) {
  const at::Tensor transposed = at::empty({matrix.cols(), matrix.rows()}, at::kDouble);
  Eigen::Map<Eigen::MatrixXd>(transposed.data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
  return transposed.t().contiguous().to(options);
}

}  // namespace nngpcheck::empirical
