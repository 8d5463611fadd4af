#include "empirical/products.hpp"

#include <cassert>

#include "empirical/simd.hpp"

namespace nngpcheck::empirical {

namespace {

// Up to here Simd's product, which reads W once, is measured to beat LibTorch's general one, which packs it
// first.
constexpr std::int64_t few_columns = 32;

// The same layout and alignment whatever tensor it is cut from: BLAS may round by either.
at::Tensor aligned(const at::Tensor& matrix) { return matrix.clone(at::MemoryFormat::Contiguous); }

void multiply_few(const double* w, const at::Tensor& x, std::int64_t rows, const at::Tensor& y) {
  simd().multiply(w, static_cast<std::size_t>(rows), static_cast<std::size_t>(x.size(1)),
                  x.data_ptr<double>(), static_cast<std::size_t>(x.stride(0)),
                  static_cast<std::size_t>(x.size(0)), y.data_ptr<double>(),
                  static_cast<std::size_t>(y.stride(0)));
}

void multiply_few(const float* w, const at::Tensor& x, std::int64_t rows, const at::Tensor& y) {
  simd().multiply_float(w, static_cast<std::size_t>(rows), static_cast<std::size_t>(x.size(1)),
                        x.data_ptr<float>(), static_cast<std::size_t>(x.stride(0)),
                        static_cast<std::size_t>(x.size(0)), y.data_ptr<float>(),
                        static_cast<std::size_t>(y.stride(0)));
}

}  // namespace

at::Tensor multiply_weights(const at::Tensor& weights, const at::Tensor& bundle) {
  if (!weights.is_cpu()) return at::bmm(weights, bundle.permute({1, 2, 0})).permute({2, 0, 1}).contiguous();
  const std::int64_t rows = weights.size(1);
  at::Tensor result = at::empty({bundle.size(0), weights.size(0), rows}, bundle.options());
  for (std::int64_t b = 0; b < weights.size(0); ++b) {
    const at::Tensor w = weights.select(0, b);
    const at::Tensor x = bundle.select(1, b);
    const at::Tensor y = result.select(1, b);
    assert(x.size(1) == 1 || x.stride(1) == 1);
    if (bundle.size(0) > few_columns) {
      y.copy_(at::mm(aligned(x), w.t()));
    } else if (w.scalar_type() == at::kDouble) {
      multiply_few(w.data_ptr<double>(), x, rows, y);
    } else {
      multiply_few(w.data_ptr<float>(), x, rows, y);
    }
  }
  return result;
}

Eigen::MatrixXd inner_products(const at::Tensor& left, const at::Tensor& right) {
  const at::Tensor product =
      at::mm(aligned(left.to(at::kDouble)), aligned(right.to(at::kDouble)).t()).to(at::kCPU).contiguous();
  using RowMajor = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  return Eigen::Map<const RowMajor>(product.data_ptr<double>(), product.size(0), product.size(1));
}

at::Tensor multiply_table(const at::Tensor& bundle, const Eigen::MatrixXd& table) {
  return at::mm(to_tensor(table.transpose(), bundle.options()), aligned(bundle));
}

at::Tensor to_tensor(const Eigen::MatrixXd& matrix, const at::TensorOptions& options) {
  const at::Tensor transposed = at::empty({matrix.cols(), matrix.rows()}, at::kDouble);
  Eigen::Map<Eigen::MatrixXd>(transposed.data_ptr<double>(), matrix.rows(), matrix.cols()) = matrix;
  return aligned(transposed.t()).to(options);
}

}  // namespace nngpcheck::empirical
