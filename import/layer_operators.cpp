// Convolutions, pooling, normalisation and attention.
#include <algorithm>
#include <cmath>
#include <limits>

#include "nngpcheck/import/call.hpp"

namespace nngpcheck::importer {

namespace {

using Tensors = std::vector<Tensor>;

/// A list of one number for each spatial axis; one number is for all.
std::vector<std::int64_t> spatial(const Call& call, const std::string& name, std::size_t axes,
                                  std::int64_t otherwise) {
  std::vector<std::int64_t> result;
  if (call.given(name)) result = call.integers(name);
  if (result.empty()) result = {otherwise};
  for (const std::int64_t number : result)
    if (number < -1'000'000 || number > 1'000'000) throw Refusal{"reject", "shape", "a size out of range"};
  result.resize(axes, result.back());
  return result;
}

using Windows = std::vector<std::vector<std::int64_t>>;

/// What a convolution's kernel sees at each position: position p, offset k ↔ input p·stride + k·dilation −
/// padding.
Windows windows(std::int64_t length, std::int64_t kernel, std::int64_t stride, std::int64_t before,
                std::int64_t after, std::int64_t dilation, std::int64_t positions = -1) {
  Windows result;
  const std::int64_t reach = dilation * (kernel - 1) + 1;
  if (positions < 0) positions = std::max<std::int64_t>((length + before + after - reach) / stride + 1, 0);
  require_cells({positions, kernel});
  for (std::int64_t p = 0; p < positions; ++p) {
    result.emplace_back();
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t at = p * stride + k * dilation - before;
      result.back().push_back(at >= 0 && at < length ? at : -1);
    }
  }
  return result;
}

/// The same of a transposed convolution: input i goes to output i·stride + k·dilation − padding.
Windows transposed_windows(std::int64_t length, std::int64_t kernel, std::int64_t stride,
                           std::int64_t padding, std::int64_t dilation, std::int64_t positions) {
  require_cells({positions, kernel});
  Windows result;
  for (std::int64_t p = 0; p < positions; ++p) {
    result.emplace_back();
    for (std::int64_t k = 0; k < kernel; ++k) {
      const std::int64_t at = p + padding - k * dilation;
      result.back().push_back(at >= 0 && at % stride == 0 && at / stride < length ? at / stride : -1);
    }
  }
  return result;
}

/// Patches (b, c, p…, k…) times a kernel with axes (o, c, k…), in groups of channels.
Tensor convolved(const Call& call, Tensor patches, Tensor weight, std::size_t axes, const Size& groups,
                 bool transposed) {
  Algebra& a = call.algebra();
  std::string positions, kernel;
  for (std::size_t k = 0; k < axes; ++k) {
    positions += static_cast<char>('P' + k);
    kernel += static_cast<char>('K' + k);
  }
  if (groups == Size{1, 1, 1}) {
    return a.einsum("bc" + positions + kernel, (transposed ? "co" : "oc") + kernel, "bo" + positions, patches,
                    weight, true);
  }
  const auto over = [&](const Size& size) {
    Size result;
    for (std::size_t g = 0; g < width_count; ++g) {
      if (groups[g] < 1 || size[g] % groups[g] != 0)
        throw Refusal{"reject", "shape", "groups that do not divide the channels"};
      result[g] = size[g] / groups[g];
    }
    return result;
  };
  patches = a.divide(patches, 1, {groups, over(a.widths().size(patches.axes[1]))});
  weight = a.divide(weight, 0, {groups, over(a.widths().size(weight.axes[0]))});
  const Tensor result = a.einsum("bgc" + positions + kernel, (transposed ? "gco" : "goc") + kernel,
                                 "bgo" + positions, patches, weight, true);
  return a.merge(result, 1, 2);
}

Tensors convolution(const Call& call, bool transposed) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("input");
  const Tensor& weight = call.tensor("weight");
  if (weight.axes.size() < 3 || weight.axes.size() > 5)
    throw Refusal{"reject", "shape", "a convolution of no image"};
  const std::size_t axes = weight.axes.size() - 2;
  if (x.axes.size() != axes + 2 && x.axes.size() != axes + 1)
    throw Refusal{"reject", "shape", "a convolution of no image"};
  const bool batched = x.axes.size() == axes + 2;
  if (!batched) x = a.unsqueeze(x, 0);
  const auto stride = spatial(call, "stride", axes, 1), dilation = spatial(call, "dilation", axes, 1);
  const bool named = !call.text("padding").empty();
  const auto padding = named ? std::vector<std::int64_t>(axes, 0) : spatial(call, "padding", axes, 0);
  const auto sizes = call.result_sizes();
  for (std::size_t k = 0; k < axes; ++k) {
    const std::int64_t length = slots(x.axes[k + 2]), kernel = slots(weight.axes[k + 2]);
    if (!is_finite(weight.axes[k + 2])) throw AxesMixed{"a kernel that grows with n"};
    std::int64_t before = padding[k], after = padding[k];
    if (call.text("padding") == "same") {
      before = dilation[k] * (kernel - 1) / 2;
      after = dilation[k] * (kernel - 1) - before;
    }
    if (stride[k] < 1 || dilation[k] < 1) throw Refusal{"reject", "shape", "a stride or dilation below 1"};
    const Windows seen = transposed ? transposed_windows(length, kernel, stride[k], padding[k], dilation[k],
                                                         sizes.at(k + (batched ? 2 : 1))[0])
                                    : windows(length, kernel, stride[k], before, after, dilation[k]);
    x = a.windows(x, k + 2, seen);
  }
  const Size groups = call.given("groups") ? call.size("groups") : Size{1, 1, 1};
  Tensor result = convolved(call, x, weight, axes, groups, transposed);
  if (call.given("bias")) {
    Tensor bias = call.tensor("bias");
    for (std::size_t k = 0; k < axes; ++k) bias = a.unsqueeze(bias, -1);
    result = a.add(result, bias);
  }
  if (!batched) result = a.squeeze(result, 0);
  return {result};
}

/// The last axes as windows on new last axes; `filling` is what lies beyond the border.
Tensor pooled_windows(const Call& call, std::size_t axes, double filling) {
  Tensor x = call.tensor("self");
  const auto kernel = spatial(call, "kernel_size", axes, 1);
  auto stride =
      call.given("stride") && !call.integers("stride").empty() ? spatial(call, "stride", axes, 1) : kernel;
  const auto padding = spatial(call, "padding", axes, 0), dilation = spatial(call, "dilation", axes, 1);
  const auto sizes = call.result_sizes();
  if (x.axes.size() < axes) throw Refusal{"reject", "shape", "pooling of more axes than there are"};
  const std::size_t first = x.axes.size() - axes;
  for (std::size_t k = 0; k < axes; ++k) {
    if (stride[k] < 1 || dilation[k] < 1) throw Refusal{"reject", "shape", "a stride or dilation below 1"};
    x = call.algebra().windows(x, first + k,
                               windows(slots(x.axes[first + k]), kernel[k], stride[k], padding[k], padding[k],
                                       dilation[k], sizes.at(first + k)[0]),
                               filling);
  }
  return x;
}

Tensors max_pool(const Call& call, std::size_t axes) {
  Algebra& a = call.algebra();
  Tensor x = pooled_windows(call, axes, -std::numeric_limits<double>::infinity());
  for (std::size_t k = 0; k < axes; ++k) {
    Tensor best = a.select(x, -1, 0);
    for (std::int64_t p = 1; p < slots(x.axes.back()); ++p) best = a.maximum(best, a.select(x, -1, p));
    x = best;
  }
  return {x};
}

Tensors avg_pool(const Call& call, std::size_t axes) {
  Algebra& a = call.algebra();
  const Tensor x = pooled_windows(call, axes, 0);
  std::vector<std::size_t> last;
  for (std::size_t k = 0; k < axes; ++k) last.push_back(x.axes.size() - axes + k);
  const Tensor total = a.sum(x, last, false);
  if (call.given("divisor_override")) return {a.scaled(total, 1 / call.fixed("divisor_override"))};
  // How many positions a window counts: of the padded input, or of the input alone.
  const bool padding_counts = !call.given("count_include_pad") || call.flag("count_include_pad");
  const auto kernel = spatial(call, "kernel_size", axes, 1), padding = spatial(call, "padding", axes, 0);
  const auto stride =
      call.given("stride") && !call.integers("stride").empty() ? spatial(call, "stride", axes, 1) : kernel;
  const std::size_t first = total.axes.size() - axes;
  const Tensor& given = call.tensor("self");
  Tensor counts{{}, {}};
  for (std::size_t k = 0; k < axes; ++k) counts.axes.push_back(total.axes[first + k]);
  for_each_position(counts.shape(), [&](const std::vector<std::int64_t>& at) {
    double count = 1;
    for (std::size_t k = 0; k < axes; ++k) {
      const std::int64_t length = slots(given.axes[first + k]), start = at[k] * stride[k] - padding[k];
      const std::int64_t end = std::min(start + kernel[k], length + (padding_counts ? padding[k] : 0));
      count *= static_cast<double>(end - (padding_counts ? start : std::max<std::int64_t>(start, 0)));
    }
    counts.cells.push_back(number(1 / count));
  });
  return {a.multiply(total, counts)};
}

/// Means (or maxima) over windows that divide each axis into so many parts.
Tensors adaptive_pool(const Call& call, std::size_t axes, bool maximum) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("self");
  const auto sizes = call.result_sizes();
  if (x.axes.size() < axes) throw Refusal{"reject", "shape", "pooling of more axes than there are"};
  const std::size_t first = x.axes.size() - axes;
  for (std::size_t k = first; k < x.axes.size(); ++k) {
    const std::int64_t length = slots(x.axes[k]), count = sizes.at(k)[0];
    require_cells({length, count});
    if (!is_finite(x.axes[k]) || count < 1) throw AxesMixed{"pooling along the width"};
    Tensors parts;
    for (std::int64_t p = 0; p < count; ++p) {
      std::vector<std::int64_t> window;
      for (std::int64_t i = p * length / count; i < ((p + 1) * length + count - 1) / count; ++i)
        window.push_back(i);
      const Tensor part = a.take(x, static_cast<std::int64_t>(k), window);
      if (!maximum) {
        parts.push_back(a.mean(part, {k}, true));
        continue;
      }
      parts.push_back(a.take(part, static_cast<std::int64_t>(k), {0}));
      for (std::size_t i = 1; i < window.size(); ++i)
        parts.back() = a.maximum(parts.back(),
                                 a.take(part, static_cast<std::int64_t>(k), {static_cast<std::int64_t>(i)}));
    }
    x = a.cat(parts, static_cast<std::int64_t>(k));
  }
  return {x};
}

/// x·weight + bias, whose axes follow the first `before` of x and are followed by `after` others.
Tensor affine(const Call& call, Tensor x, std::size_t after) {
  Algebra& a = call.algebra();
  for (const char* name : {"weight", "bias"}) {
    if (!call.given(name)) continue;
    Tensor factor = call.tensor(name);
    for (std::size_t k = 0; k < after; ++k) factor = a.unsqueeze(factor, -1);
    x = name[0] == 'w' ? a.multiply(x, factor) : a.add(x, factor);
  }
  return x;
}

std::vector<std::size_t> last_axes(const Tensor& x, std::size_t count) {
  std::vector<std::size_t> result;
  for (std::size_t k = x.axes.size() - std::min(count, x.axes.size()); k < x.axes.size(); ++k)
    result.push_back(k);
  return result;
}

Tensors layer_norm(const Call& call, bool centered) {
  const Tensor& x = call.tensor("input");
  const double epsilon = call.given("eps") ? call.fixed("eps") : std::numeric_limits<double>::epsilon();
  const auto axes = last_axes(x, call.sizes("normalized_shape").size());
  return {affine(call, call.algebra().normalise(x, axes, epsilon, centered), 0)};
}

Tensors group_norm(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor& x = call.tensor("input");
  const Size groups = call.size("num_groups");
  Size rest = a.widths().size(x.axes.at(1));
  for (std::size_t g = 0; g < width_count; ++g) {
    if (groups[g] < 1 || rest[g] % groups[g] != 0)
      throw Refusal{"reject", "shape", "groups that do not divide the channels"};
    rest[g] /= groups[g];
  }
  Tensor divided = a.divide(x, 1, {groups, rest});
  std::vector<std::size_t> axes;
  for (std::size_t k = 2; k < divided.axes.size(); ++k) axes.push_back(k);
  divided = a.normalise(divided, axes, call.fixed("eps"));
  return {affine(call, a.merge(divided, 1, 2), x.axes.size() - 2)};
}

/// Over all axes but the channels (of each sample, or of the batch).
Tensors position_norm(const Call& call, bool of_batch) {
  const Tensor& x = call.tensor("input");
  std::vector<std::size_t> axes;
  for (std::size_t k = of_batch ? 0 : 2; k < x.axes.size(); ++k)
    if (k != 1) axes.push_back(k);
  return {affine(call, call.algebra().normalise(x, axes, call.fixed("eps")), x.axes.size() - 2)};
}

/// With running statistics, which are constants.
Tensors running_norm(const Call& call) {
  Algebra& a = call.algebra();
  Tensor x = call.tensor("input");
  Tensor mean = call.tensor("running_mean");
  const double epsilon = call.fixed("eps");
  Tensor deviation =
      a.numeric([epsilon](const std::vector<double>& v) { return 1 / std::sqrt(v[0] + epsilon); },
                {call.tensor("running_var")});
  for (std::size_t k = 2; k < x.axes.size(); ++k) {
    mean = a.unsqueeze(mean, -1);
    deviation = a.unsqueeze(deviation, -1);
  }
  x = a.multiply(a.add(x, mean, constant_values(-1)), deviation);
  return {affine(call, x, x.axes.size() - 2)};
}

Tensors attention(const Call& call) {
  Algebra& a = call.algebra();
  const Tensor &q = call.tensor("query"), &k = call.tensor("key"), &v = call.tensor("value");
  if (q.axes.size() < 2) throw Refusal{"reject", "shape", "attention of what is no sequence"};
  std::string batch;
  for (std::size_t i = 0; i + 2 < q.axes.size(); ++i) batch += static_cast<char>('A' + i);
  Values scale;
  const Size head = a.widths().size(q.axes.back());
  if (call.given("scale")) scale = call.number("scale");
  for (std::size_t g = 0; g < width_count; ++g)
    if (!call.given("scale")) scale[g] = 1 / std::sqrt(static_cast<double>(head[g]));
  Tensor scores = a.scaled(a.einsum(batch + "qe", batch + "ke", batch + "qk", q, k), scale);
  const double out = -std::numeric_limits<double>::infinity();
  if (call.flag("is_causal")) {
    std::size_t cell = 0;
    for_each_position(scores.shape(), [&](const std::vector<std::int64_t>& at) {
      if (at[at.size() - 1] > at[at.size() - 2]) scores.cells[cell] = number(out);
      ++cell;
    });
  }
  if (const auto mask = call.optional_tensor("attn_mask")) {
    const bool boolean = std::all_of(mask->cells.begin(), mask->cells.end(), [](const Cell& c) {
      return c.is_number() && (c.factor[0] == 0 || c.factor[0] == 1);
    });
    const bool some =
        std::any_of(mask->cells.begin(), mask->cells.end(), [](const Cell& c) { return c.factor[0] == 1; });
    scores = boolean && some ? a.where(*mask, scores, Algebra::scalar(constant_values(out)))
                             : a.add(scores, *mask);
  }
  if (call.given("dropout_p") && call.fixed("dropout_p") > 0)
    throw Refusal{"outside", "random_forward",
                  "dropout in training: the network draws random numbers for each input"};
  return {a.einsum(batch + "qk", batch + "ke", batch + "qe", a.softmax(scores, -1), v)};
}

/// g v/|v|, which is v where g is |v| at initialisation.
Tensors weight_norm(const Call& call) {
  const auto block_of = [](const Tensor& x) {
    return x.cells.empty() ? nullptr : std::get_if<Block>(&x.cells[0].value);
  };
  const Block *v = block_of(call.tensor("v")), *g = block_of(call.tensor("g"));
  const Archive& archive = call.writer().archive();
  if (!v || !g) throw Refusal{"outside", "parametrisation", "weight norm of what is no parameter"};
  std::string module = archive.graphs[0].inputs[v->input].target;
  if (const std::size_t at = module.find(".parametrizations"); at != std::string::npos)
    module.resize(at);
  else if (const std::size_t dot = module.rfind('.'); dot != std::string::npos)
    module.resize(dot);
  std::array<std::vector<double>, width_count> weights;  // lengths are rounded, v is not quite the weight
  for (std::size_t w = 0; w < width_count; ++w) {
    const Graph& graph = archive.graphs[w];
    const Numbers &numbers = graph.inputs[v->input].numbers, &norms = graph.inputs[g->input].numbers;
    const std::size_t rows = norms.values.size(), columns = rows == 0 ? 0 : numbers.values.size() / rows;
    weights[w] = numbers.values;
    for (std::size_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::size_t j = 0; j < columns; ++j)
        sum += numbers.values[i * columns + j] * numbers.values[i * columns + j];
      const double length = std::sqrt(sum);
      if (call.integer("dim") != 0 || std::abs(length - norms.values[i]) > 1e-6 * norms.values[i])
        throw Refusal{"outside", "parametrisation:" + module,
                      "weight norm with other lengths than those of its rows"};
      for (std::size_t j = 0; j < columns; ++j) weights[w][i * columns + j] *= norms.values[i] / length;
    }
  }
  call.writer().replace(v->input, std::move(weights));
  call.writer().report().add(
      "parametrisation:" + module,
      "the weight of `" + module + "` is g v/|v|, with g = |v| at initialisation: it is taken to be v");
  return {call.tensor("v")};
}

}  // namespace

void add_layer_operators(Operators& ops) {
  for (const char* name :
       {"conv1d", "conv2d", "conv3d", "conv1d.padding", "conv2d.padding", "conv3d.padding"})
    ops[name] = [](const Call& c) { return convolution(c, false); };
  for (const char* name : {"conv_transpose1d", "conv_transpose2d.input", "conv_transpose3d.input"})
    ops[name] = [](const Call& c) { return convolution(c, true); };
  ops["convolution"] = [](const Call& c) { return convolution(c, c.flag("transposed")); };
  for (std::size_t axes = 1; axes <= 3; ++axes) {
    const std::string d = std::to_string(axes) + "d";
    ops["max_pool" + d] =
        ops["max_pool" + d + "_with_indices"] = [axes](const Call& c) { return max_pool(c, axes); };
    ops["avg_pool" + d] = [axes](const Call& c) { return avg_pool(c, axes); };
    ops["adaptive_avg_pool" + d] =
        ops["_adaptive_avg_pool" + d] = [axes](const Call& c) { return adaptive_pool(c, axes, false); };
    ops["adaptive_max_pool" + d] = [axes](const Call& c) { return adaptive_pool(c, axes, true); };
  }
  ops["layer_norm"] = ops["native_layer_norm"] = [](const Call& c) { return layer_norm(c, true); };
  ops["rms_norm"] = [](const Call& c) { return layer_norm(c, false); };
  ops["group_norm"] = group_norm;
  ops["instance_norm"] = [](const Call& c) { return position_norm(c, false); };
  for (const char* name : {"_native_batch_norm_legit_functional", "_native_batch_norm_legit.no_stats"})
    ops[name] = [](const Call& c) { return position_norm(c, true); };
  ops["_native_batch_norm_legit_no_training"] = running_norm;
  ops["batch_norm"] = [](const Call& c) {
    return c.flag("training") ? position_norm(c, true) : running_norm(c);
  };
  ops["scaled_dot_product_attention"] = attention;
  ops["_weight_norm"] = weight_norm;
}

}  // namespace nngpcheck::importer
