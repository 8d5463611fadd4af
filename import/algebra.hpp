// Private to import/: arithmetic of tensors.
#pragma once

#include <functional>

#include "nngpcheck/import/writer.hpp"

namespace nngpcheck::importer {

/// Operators of tensors, by what they do to cells. Axes are numbered from 0; a negative number counts from
/// the end. Throws Refusal for what has no program, AxesMixed and Split.
class Algebra {
 public:
  explicit Algebra(Writer& writer) : writer_(writer) {}

  Writer& writer() { return writer_; }
  Widths& widths() { return writer_.widths(); }

  static std::size_t axis_number(const Tensor& x, std::int64_t axis);
  static Tensor scalar(const Values& value) { return {{}, {number(value)}}; }

  // ---- Cells are only moved. ----
  Tensor view(const Tensor& x, std::vector<Size> sizes);
  /// Axis k viewed as axes of these sizes.
  Tensor divide(const Tensor& x, std::size_t axis, const std::vector<Size>& sizes);
  /// Axes first, …, last as one.
  Tensor merge(const Tensor& x, std::size_t first, std::size_t last);
  Tensor permute(const Tensor& x, const std::vector<std::size_t>& order);
  Tensor transpose(const Tensor& x, std::int64_t a, std::int64_t b);
  /// To these sizes, -1 keeps one; axes that grow are `name`'s.
  Tensor expand(const Tensor& x, const std::vector<Size>& sizes, const std::string& name);
  Tensor unsqueeze(const Tensor& x, std::int64_t axis);
  Tensor squeeze(const Tensor& x, std::int64_t axis);
  Tensor cat(const std::vector<Tensor>& xs, std::int64_t axis);
  Tensor stack(const std::vector<Tensor>& xs, std::int64_t axis);
  /// The pieces of these sizes along an axis.
  std::vector<Tensor> split(const Tensor& x, std::int64_t axis, const std::vector<Size>& sizes);
  /// These positions of a finite axis; −1 is 0 or what `filling` says.
  Tensor take(const Tensor& x, std::int64_t axis, const std::vector<std::int64_t>& positions,
              double filling = 0);
  Tensor select(const Tensor& x, std::int64_t axis, std::int64_t position);
  /// A new last axis: the positions of axis k that windows see, −1 for none. `windows`[p] belongs to position
  /// p.
  Tensor windows(const Tensor& x, std::size_t axis, const std::vector<std::vector<std::int64_t>>& windows,
                 double filling = 0);
  Tensor filled(const std::vector<Size>& sizes, double value, const std::string& name);

  // ---- Coordinatewise. ----
  Tensor map(const netsor::Activation& activation, const Tensor& x);
  Tensor map(const std::string& activation, const Tensor& x) {
    return map(netsor::Activation::named(activation), x);
  }
  Tensor expression(const std::string& text, const Tensor& x) {
    return map(netsor::Activation::from_expression(text), x);
  }
  /// One that is not finite everywhere: log, log1p, log2, sqrt, rsqrt, reciprocal.
  Tensor function(const std::string& name, const Tensor& x);
  /// Of several tensors, or of numbers alone.
  Tensor function(const netsor::Function& function, const std::vector<Tensor>& xs);
  Tensor add(const Tensor& x, const Tensor& y, const Values& factor = constant_values(1));
  Tensor multiply(const Tensor& x, const Tensor& y);
  Tensor maximum(const Tensor& x, const Tensor& y);
  Tensor scaled(const Tensor& x, const Values& factor);
  Tensor scaled(const Tensor& x, double factor) { return scaled(x, constant_values(factor)); }
  /// A function of numbers, of cells that are.
  Tensor numeric(const std::function<double(const std::vector<double>&)>& f, const std::vector<Tensor>& xs);
  /// x where the mask is not 0, else y.
  Tensor where(const Tensor& mask, const Tensor& x, const Tensor& y);

  // ---- Sums. ----
  /// Labels are letters, as in Einstein's convention. `layer`: y is the weight of a linear layer or
  /// convolution.
  Tensor einsum(const std::string& left, const std::string& right, const std::string& result, const Tensor& x,
                const Tensor& y, bool layer = false);
  Tensor sum(const Tensor& x, std::vector<std::size_t> axes, bool keep);
  Tensor mean(const Tensor& x, const std::vector<std::size_t>& axes, bool keep);
  /// 1/√(x + ε).
  Tensor rsqrt(const Tensor& x, double epsilon);
  /// √x; of numbers that converge x/√x, and 0 of 0.
  Tensor sqrt(const Tensor& x);
  /// x/y; a y that converges must be positive.
  Tensor divide(const Tensor& x, const Tensor& y);
  Tensor softmax(const Tensor& x, std::int64_t axis);
  Tensor log_softmax(const Tensor& x, std::int64_t axis);
  /// x less its mean over the axes (unless not `centered`), divided by √(mean of its square + ε).
  Tensor normalise(const Tensor& x, const std::vector<std::size_t>& axes, double epsilon,
                   bool centered = true);
  Tensor linear(const Tensor& x, const Tensor& weight, const Tensor* bias);
  /// The number of entries along some axes.
  Values count(const Tensor& x, const std::vector<std::size_t>& axes);

  /// All axes brought to one shape by broadcasting; the cells of each.
  struct Broadcast {
    std::vector<Axis> axes;
    std::vector<Cells> cells;
    std::vector<int> widths;  // of each cell, or finite
  };
  Broadcast broadcast(const std::vector<const Tensor*>& xs);

 private:
  Writer& writer_;
};

}  // namespace nngpcheck::importer
