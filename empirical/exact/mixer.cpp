#include "nngpcheck/empirical/exact/mixer.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

namespace {

template <class T>
void mix(double c, const netsor::SparseMatrix& matrix, const at::Tensor& bundle, const at::Tensor& result,
         std::vector<bool>& written) {
  const std::int64_t size = bundle.size(1) * bundle.size(2);
  for (Eigen::Index column = 0; column < matrix.outerSize(); ++column) {
    T* y = result.data_ptr<T>() + column * size;
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry) {
      const T* x = bundle.data_ptr<T>() + entry.row() * size;
      const T value = static_cast<T>(c * entry.value());
      if (written[static_cast<std::size_t>(column)]) {
        for (std::int64_t i = 0; i < size; ++i) y[i] += value * x[i];
      } else if (value == 1) {
        std::copy_n(x, size, y);
      } else {
        for (std::int64_t i = 0; i < size; ++i) y[i] = value * x[i];
      }
      written[static_cast<std::size_t>(column)] = true;
    }
  }
}

}  // namespace

Mixer::Mixer(netsor::SharedSparse matrix, const at::TensorOptions& options) : matrix_(std::move(matrix)) {
  if (options.device().is_cpu()) return;
  struct Entries {
    std::vector<std::int64_t> from, to;
    std::vector<double> value;
  };
  std::vector<Entries> entries;
  for (Eigen::Index column = 0; column < matrix_->outerSize(); ++column) {
    std::size_t layer = 0;
    for (netsor::SparseMatrix::InnerIterator entry(*matrix_, column); entry; ++entry, ++layer) {
      if (layer == entries.size()) entries.emplace_back();
      entries[layer].from.push_back(entry.row());
      entries[layer].to.push_back(column);
      entries[layer].value.push_back(entry.value());
    }
  }
  for (const Entries& layer : entries) {
    layers_.push_back({at::tensor(layer.from, at::kLong).to(options.device()),
                       at::tensor(layer.to, at::kLong).to(options.device()),
                       at::tensor(layer.value, at::kDouble).to(options).view({-1, 1, 1})});
  }
}

void Mixer::add(double c, const at::Tensor& bundle, const at::Tensor& result,
                std::vector<bool>& written) const {
  if (!bundle.is_cpu()) {
    fill_rest(result, written);
    written.assign(written.size(), true);
    for (const Layer& layer : layers_)
      result.index_add_(0, layer.to, bundle.index_select(0, layer.from).mul_(layer.value).mul_(c));
  } else if (bundle.scalar_type() == at::kDouble) {
    mix<double>(c, *matrix_, bundle, result, written);
  } else {
    mix<float>(c, *matrix_, bundle, result, written);
  }
}

void fill_rest(const at::Tensor& result, const std::vector<bool>& written) {
  for (std::size_t column = 0; column < written.size(); ++column) {
    if (!written[column]) result.select(0, static_cast<std::int64_t>(column)).zero_();
  }
}

}  // namespace nngpcheck::empirical
