#include "empirical/mixer.hpp"

#include <algorithm>

namespace nngpcheck::empirical {

Mixer::Mixer(const netsor::SparseMatrix& matrix, const at::TensorOptions& options) : columns_(matrix.cols()) {
  struct Entries {
    std::vector<std::int64_t> from, to;
    std::vector<double> value;
  };
  std::vector<Entries> entries;
  for (Eigen::Index column = 0; column < matrix.outerSize(); ++column) {
    std::size_t layer = 0;
    for (netsor::SparseMatrix::InnerIterator entry(matrix, column); entry; ++entry, ++layer) {
      if (layer == entries.size()) entries.emplace_back();
      entries[layer].from.push_back(entry.row());
      entries[layer].to.push_back(column);
      entries[layer].value.push_back(entry.value());
    }
  }
  const auto indices = [&](const std::vector<std::int64_t>& list) {
    return at::tensor(list, at::kLong).to(options.device());
  };
  for (const Entries& layer : entries) {
    layers_.push_back({indices(layer.from), indices(layer.to), {}});
    if (std::any_of(layer.value.begin(), layer.value.end(), [](double v) { return v != 1; })) {
      layers_.back().value = at::tensor(layer.value, at::kDouble).to(options).view({-1, 1, 1});
    }
  }
  first_is_full_ = !entries.empty() && static_cast<std::int64_t>(entries.front().to.size()) == columns_;
}

at::Tensor Mixer::operator()(const at::Tensor& bundle) const {
  const auto term = [&](const Layer& layer) {
    at::Tensor result = bundle.index_select(0, layer.from);
    if (layer.value.defined()) result.mul_(layer.value);
    return result;
  };
  std::size_t next = 0;
  at::Tensor result;
  if (first_is_full_) {
    result = term(layers_[next++]);
  } else {
    result = at::zeros({columns_, bundle.size(1), bundle.size(2)}, bundle.options());
  }
  for (; next < layers_.size(); ++next) result.index_add_(0, layers_[next].to, term(layers_[next]));
  return result;
}

}  // namespace nngpcheck::empirical
