#include "nngpcheck/empirical/interpreter/interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include "nngpcheck/empirical/exact/tables.hpp"
#include "nngpcheck/empirical/interpreter/activations.hpp"
#include "nngpcheck/empirical/interpreter/expression.hpp"
#include "nngpcheck/empirical/interpreter/memory.hpp"
#include "nngpcheck/empirical/interpreter/products.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::empirical {

Interpreter::Interpreter(const netsor::Program& program, const Schedule& schedule, Precision precision,
                         at::Device device, std::int64_t capacity)
    : program_(program),
      schedule_(schedule),
      capacity_(capacity),
      options_(at::TensorOptions(device).dtype(precision == Precision::float64 ? at::kDouble : at::kFloat)),
      buffer_(at::empty({capacity * static_cast<std::int64_t>(schedule.buffer_bytes)},
                        at::TensorOptions(device).dtype(at::kByte))),
      bundles_(program.nodes().size()),
      padded_(program.nodes().size()),
      tables_(program.nodes().size()),
      groups_(schedule.groups.size()),
      copies_(schedule.sources.size()) {
  if (buffer_.is_cpu()) prefer_large_pages(buffer_.data_ptr(), buffer_.nbytes());
  for (std::size_t node = 0; node < program.nodes().size(); ++node) {
    if (const auto* mix = std::get_if<netsor::Mix>(&program.nodes()[node].operation))
      mixers_.try_emplace(node, mix->matrix, options_);
  }
  find_diagonals();
  if (schedule.exact_inputs) find_input_coordinates();
  for (const SumPlan& plan : schedule.sums) input_sums_.push_back(input_sum_coordinates(plan.sum));
}

// Grams of which only the diagonal is read, as in every layer norm.
void Interpreter::find_diagonals() {
  std::set<std::size_t> others;
  for (std::size_t node = 0; node < program_.nodes().size(); ++node) {
    const netsor::Operation& operation = program_.nodes()[node].operation;
    const auto* apply = std::get_if<netsor::Apply>(&operation);
    const bool diagonal = apply && std::holds_alternative<netsor::Diagonal>(apply->function);
    for (const std::size_t operand : netsor::operands(operation)) {
      if (!diagonal) others.insert(operand);
    }
    if (std::holds_alternative<netsor::Gram>(operation)) diagonals_.insert(node);
  }
  for (const std::size_t node : others) diagonals_.erase(node);
}

// Of all data that one input weight is applied to, in one basis: products with it are tied.
void Interpreter::find_input_coordinates() {
  std::map<std::size_t, std::vector<std::size_t>> nodes;  // by input weight
  for (const Step& step : schedule_.steps) {
    const auto* input = std::get_if<netsor::Input>(&program_.nodes()[step.node].operation);
    if (input && step.sum == none) nodes[input->weight.index()].push_back(step.node);
  }
  for (const auto& [weight, inputs] : nodes) {
    const auto data = [&](std::size_t node) -> const Eigen::MatrixXd& {
      return *std::get<netsor::Input>(program_.nodes()[node].operation).data;
    };
    Eigen::Index columns = 0;
    for (const std::size_t node : inputs) columns += data(node).cols();
    const Eigen::Index dimension = data(inputs.front()).rows();
    std::vector<double> storage(static_cast<std::size_t>(GramSchmidt::storage_size(dimension, columns)));
    Coordinates coordinates(storage.data(), dimension, columns, {});
    for (const std::size_t node : inputs) {
      const Eigen::MatrixXd& x = data(node);
      input_coordinates_[node] =
          coordinates.of({x.data(), static_cast<std::size_t>(x.rows()), static_cast<std::size_t>(x.cols())});
    }
  }
}

// A region of the buffer, from `offset` bytes of each network's share on, as numbers of all networks.
at::Tensor Interpreter::place(const Region& region, at::ScalarType type, at::IntArrayRef shape,
                              double offset) const {
  const std::int64_t numbers =
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies());
  const auto begin = static_cast<std::int64_t>(region.offset + offset) * capacity_;
  return buffer_.narrow(0, begin, numbers * static_cast<std::int64_t>(c10::elementSize(type)))
      .view(type)
      .view(shape);
}

// One network's part of a region in float64. Precondition: the buffer is on the CPU.
double* Interpreter::share(const Region& region, std::int64_t b) const {
  const auto begin =
      static_cast<std::int64_t>(region.offset) * capacity_ + b * static_cast<std::int64_t>(region.bytes);
  return reinterpret_cast<double*>(buffer_.data_ptr<std::uint8_t>() + begin);
}

void Interpreter::lay_out(std::int64_t networks) {
  for (const Step& step : schedule_.steps) {
    const auto* type = std::get_if<netsor::BundleType>(&program_.nodes()[step.node].type);
    if (!type) continue;
    const std::int64_t n = type->width.at(schedule_.width);
    const std::int64_t numbers = type->columns * networks * n;
    const at::ScalarType scalar = options_.dtype().toScalarType();
    bundles_[step.node] = place(step.value, scalar, {type->columns, networks, n});
    padded_[step.node] =
        place(step.value, scalar, {(numbers + vector_multiple - 1) / vector_multiple * vector_multiple});
  }
}

void Interpreter::evaluate(const Networks& networks) {
  if (networks.count != networks_.count) lay_out(networks.count);
  networks_ = networks;
  for (step_ = 0; step_ < schedule_.steps.size(); ++step_) {
    const auto [node, sum, value, scratch] = schedule_.steps[step_];
    if (sum != none) {
      run_sum(sum, bundles_[node]);
      continue;
    }
    std::visit(
        [&](const auto& operation) {
          if constexpr (requires { run(operation, bundles_[node]); }) {
            run(operation, bundles_[node]);
          } else {
            tables_[node] = run(operation);
          }
        },
        program_.nodes()[node].operation);
  }
}

std::vector<at::Tensor> Interpreter::blocks() const {
  std::vector<at::Tensor> result;
  for (const netsor::BundleId block : program_.output().blocks) result.push_back(bundle(block));
  return result;
}

std::vector<Eigen::MatrixXd> Interpreter::kernels() const {
  const std::vector<at::Tensor> blocks = this->blocks();
  std::int64_t width = 0;
  for (const at::Tensor& block : blocks) width += block.size(2);
  const double scale = program_.readout().variance / static_cast<double>(width);
  std::vector<Eigen::MatrixXd> result;
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    Eigen::MatrixXd kernel = Eigen::MatrixXd::Zero(program_.outputs(), program_.outputs());
    for (const at::Tensor& block : blocks) kernel += inner_products(block, block, b);
    result.push_back(scale * kernel);
  }
  return result;
}

std::vector<Eigen::VectorXd> Interpreter::outputs() const {
  const std::vector<at::Tensor> blocks = this->blocks();
  std::int64_t width = 0;
  for (const at::Tensor& block : blocks) width += block.size(2);
  const double deviation = std::sqrt(program_.readout().variance / static_cast<double>(width));
  at::Tensor readout = at::empty({1, 1, width}, options_.device(at::kCPU));
  std::vector<Eigen::VectorXd> result;
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    Networks network = networks_;
    network.first += static_cast<std::uint64_t>(b);
    network.count = 1;
    draw({program_.readout().name, width, 1, 0, deviation}, network, readout);
    Eigen::VectorXd outputs = Eigen::VectorXd::Zero(program_.outputs());
    std::int64_t row = 0;
    for (const at::Tensor& block : blocks) {
      const at::Tensor part = readout.narrow(2, row, block.size(2));
      outputs += inner_products(block.narrow(1, b, 1), part, 0);
      row += block.size(2);
    }
    result.push_back(std::move(outputs));
  }
  return result;
}

// ---- Random objects ----

void Interpreter::draw_into(const RandomObject& object, at::Tensor& target) {
  if (target.is_cpu()) {
    draw(object, networks_, target);
  } else {
    at::Tensor drawn = at::empty(target.sizes(), target.options().device(at::kCPU));
    draw(object, networks_, drawn);
    target.copy_(drawn);
  }
}

at::Tensor Interpreter::weight_matrices(netsor::WeightId id) {
  const WeightPlan& plan = schedule_.weights[id.index()];
  const RandomObject object = random_object(program_[id], networks_.width);
  at::Tensor result =
      place(plan.matrix, options_.dtype().toScalarType(), {networks_.count, object.rows, object.columns});
  if (plan.first_step == step_) draw_into(object, result);
  return result;
}

void Interpreter::run(const netsor::Input& operation, at::Tensor& result) {
  const RandomObject object = random_object(program_[operation.weight], networks_.width);
  const Step& step = schedule_.steps[step_];
  if (schedule_.exact_inputs) {
    const at::Tensor y = native_result(step.scratch, result);
    for (std::int64_t b = 0; b < networks_.count; ++b) {
      combine_images({exact_stream(object, networks_, b), object.rows, object.deviation, nullptr, nullptr}, 0,
                     input_coordinates_.at(step.node), columns_of(y, b));
    }
    if (!y.is_same(result)) result.copy_(y);
    return;
  }
  const at::Tensor data = to_tensor(operation.data->transpose(), options_);
  at::Tensor weights =
      place(step.scratch, options_.dtype().toScalarType(), {networks_.count, object.rows, object.columns});
  draw_into(object, weights);
  multiply_weights(weights, data.unsqueeze(1).expand({data.size(0), networks_.count, data.size(1)}), result);
}

void Interpreter::run(const netsor::BiasColumn& operation, at::Tensor& result) {
  const RandomObject object = random_object(program_[operation.bias], networks_.width);
  at::Tensor column = result.view({networks_.count, object.rows, 1});
  draw_into(object, column);
}

std::vector<ExactProducts> Interpreter::exact_group(const Group& group) {
  std::vector<ExactProducts> result;
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    std::vector<GaussianMatrix> weights;
    for (const std::size_t w : group.weights) {
      const WeightPlan& plan = schedule_.weights[w];
      const RandomObject object = random_object(program_.weights()[w], networks_.width);
      weights.push_back({exact_stream(object, networks_, b), object.rows, object.deviation,
                         plan.images.bytes > 0 ? share(plan.images, b) : nullptr,
                         plan.matrix.bytes > 0 ? share(plan.matrix, b) : nullptr});
    }
    result.emplace_back(group.arguments, share(group.basis, b), std::move(weights));
  }
  return result;
}

// `result` itself, or a place for it in float64.
at::Tensor Interpreter::native_result(const Region& scratch, const at::Tensor& result) const {
  return result.scalar_type() == at::kDouble ? result : place(scratch, at::kDouble, result.sizes());
}

void Interpreter::multiply_exactly(const netsor::MatMul& operation, at::Tensor& result) {
  const WeightPlan& plan = schedule_.weights[operation.weight.index()];
  const Group& group = schedule_.groups[plan.group];
  if (group.first_step == step_) groups_[plan.group] = exact_group(group);
  const Region& scratch = schedule_.steps[step_].scratch;
  const at::Tensor y = native_result(scratch, result);
  at::Tensor x = bundle(operation.argument);
  if (x.scalar_type() != at::kDouble) {
    const auto bytes = static_cast<double>(sizeof(double) * y.numel() / networks_.count);
    x = place(scratch, at::kDouble, x.sizes(), std::ceil(bytes / region_alignment) * region_alignment);
    x.copy_(bundle(operation.argument));
  }
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    groups_[plan.group][static_cast<std::size_t>(b)].apply(plan.member, operation.argument.index(),
                                                           columns_of(x, b), columns_of(y, b));
  }
  if (!y.is_same(result)) result.copy_(y);
}

void Interpreter::run(const netsor::MatMul& operation, at::Tensor& result) {
  if (schedule_.weights[operation.weight.index()].group != none)
    multiply_exactly(operation, result);
  else
    multiply_weights(weight_matrices(operation.weight), bundle(operation.argument), result);
}

// ---- Bundles ----

void Interpreter::run(const netsor::Ones&, at::Tensor& result) { result.fill_(1); }

void Interpreter::run(const netsor::Mix& operation, at::Tensor& result) {
  std::vector<bool> written(static_cast<std::size_t>(result.size(0)), false);
  mixers_.at(schedule_.steps[step_].node).add(1, bundle(operation.argument), result, written);
  fill_rest(result, written);
}

void Interpreter::run(const netsor::TableMix& operation, at::Tensor& result) {
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    multiply_table(bundle(operation.argument), table(operation.table)[static_cast<std::size_t>(b)], b,
                   result);
  }
}

void Interpreter::run(const netsor::Add& operation, at::Tensor& result) {
  add_terms(operation.terms, false, result);
}

// To what is there if the sum has begun. The terms that are bundles first, then those that are mixed on the
// way.
void Interpreter::add_terms(const std::vector<netsor::Add::Term>& terms, bool begun, at::Tensor& result) {
  std::vector<netsor::Add::Term> bundles, mixed;
  for (const netsor::Add::Term& term : terms)
    (schedule_.part_of_sum[term.bundle.index()] ? mixed : bundles).push_back(term);
  if (!bundles.empty()) add_bundles(bundles, begun, result);
  std::vector<bool> written(static_cast<std::size_t>(result.size(0)), begun || !bundles.empty());
  for (const auto& [coefficient, id] : mixed) {
    const auto& mix = std::get<netsor::Mix>(program_[id].operation);
    mixers_.at(id.index()).add(coefficient, bundle(mix.argument), result, written);
  }
  fill_rest(result, written);
}

void Interpreter::add_bundles(const std::vector<netsor::Add::Term>& terms, bool begun, at::Tensor& result) {
  const auto is_sign = [](double coefficient) { return coefficient == 1 || coefficient == -1; };
  std::size_t next = 0;
  if (!begun && terms.size() > 1 && terms[0].coefficient == 1 && is_sign(terms[1].coefficient)) {
    at::add_out(result, bundle(terms[0].bundle), bundle(terms[1].bundle), terms[1].coefficient);
    next = 2;
  } else if (!begun) {
    result.copy_(bundle(terms[0].bundle));
    if (terms[0].coefficient != 1) result.mul_(terms[0].coefficient);
    next = 1;
  }
  for (; next < terms.size(); ++next) {
    const auto& [coefficient, id] = terms[next];
    if (is_sign(coefficient)) {
      result.add_(bundle(id), coefficient);
      continue;
    }
    at::Tensor scaled =
        place(schedule_.steps[step_].scratch, options_.dtype().toScalarType(), bundle(id).sizes());
    result.add_(at::mul_out(scaled, bundle(id), at::scalar_tensor(coefficient, options_)));
  }
}

void Interpreter::run(const netsor::Scale& operation, at::Tensor& result) {
  const Tables& factors = table(operation.factors);
  Eigen::MatrixXd columns(factors.front().cols(), static_cast<Eigen::Index>(factors.size()));
  for (std::size_t b = 0; b < factors.size(); ++b)
    columns.col(static_cast<Eigen::Index>(b)) = factors[b].transpose();
  at::mul_out(result, bundle(operation.argument), to_tensor(columns, options_).unsqueeze(2));
}

void Interpreter::run(const netsor::Map& operation, at::Tensor&) {
  apply_activation(operation.activation, padded_[operation.argument.index()],
                   padded_[schedule_.steps[step_].node]);
}

void Interpreter::run(const netsor::Mul& operation, at::Tensor& result) {
  at::mul_out(result, bundle(operation.left), bundle(operation.right));
}

void Interpreter::run(const netsor::Max& operation, at::Tensor& result) {
  at::maximum_out(result, bundle(operation.left), bundle(operation.right));
}

namespace {

/// y = φ(x₁, …, x_k), entry by entry, of tensors of one axis.
void apply(const netsor::Function& function, const std::vector<at::Tensor>& x, at::Tensor& y) {
  if (function.expression()) return apply_expression(*function.expression(), x, y);
  std::vector<double> point(x.size());
  for (std::int64_t i = 0; i < y.numel(); ++i) {
    for (std::size_t k = 0; k < point.size(); ++k) point[k] = x[k].data_ptr<double>()[i];
    y.data_ptr<double>()[i] = function(point);
  }
}

}  // namespace

// In pieces that take no memory to speak of, each padded, see vector_multiple; a C++ function on the CPU and
// in float64.
void Interpreter::run(const netsor::Nonlin& operation, at::Tensor& result) {
  constexpr std::int64_t piece = 4096;
  const std::int64_t coordinates = result.size(1) * result.size(2);
  const auto part = [&](const at::Tensor& x, std::int64_t column, std::int64_t first) {
    return x.select(0, x.size(0) == 1 ? 0 : column)
        .view({coordinates})
        .narrow(0, first, std::min(piece, coordinates - first));
  };
  const at::TensorOptions options =
      operation.function.expression() ? options_ : at::TensorOptions(at::kCPU).dtype(at::kDouble);
  for (std::int64_t column = 0; column < result.size(0); ++column) {
    for (std::int64_t first = 0; first < coordinates; first += piece) {
      const std::int64_t count = std::min(piece, coordinates - first);
      const std::int64_t padded = (count + vector_multiple - 1) / vector_multiple * vector_multiple;
      std::vector<at::Tensor> arguments;
      for (const netsor::BundleId id : operation.arguments) {
        arguments.push_back(at::zeros({padded}, options));
        arguments.back().narrow(0, 0, count).copy_(part(bundle(id), column, first));
      }
      at::Tensor values = at::empty({padded}, options);
      apply(operation.function, arguments, values);
      part(result, column, first).copy_(values.narrow(0, 0, count));
    }
  }
}

void Interpreter::run(const netsor::Standardize& operation, at::Tensor& result) {
  const at::Tensor& x = bundle(operation.argument);
  std::map<int, std::vector<std::int64_t>> groups;
  for (std::size_t column = 0; column < operation.group.size(); ++column)
    groups[operation.group[column]].push_back(static_cast<std::int64_t>(column));
  const at::Tensor scratch =
      place(schedule_.steps[step_].scratch, options_.dtype().toScalarType(), {3, networks_.count, x.size(2)});
  at::Tensor mean = scratch.select(0, 0), variance = scratch.select(0, 1), square = scratch.select(0, 2);
  for (const auto& [group, columns] : groups) {
    const double share = 1 / static_cast<double>(columns.size());
    mean.zero_();
    for (const std::int64_t column : columns) mean.add_(x.select(0, column));
    mean.mul_(share);
    variance.zero_();
    for (const std::int64_t column : columns) {
      at::Tensor centred = result.select(0, column);
      at::sub_out(centred, x.select(0, column), mean);
      variance.add_(at::mul_out(square, centred, centred));
    }
    variance.mul_(share).add_(operation.epsilon).sqrt_();
    for (const std::int64_t column : columns) result.select(0, column).div_(variance);
  }
}

// ---- Tables ----

template <class PerNetwork>
Interpreter::Tables Interpreter::for_each_network(const PerNetwork& per_network) const {
  Tables result;
  for (std::int64_t b = 0; b < networks_.count; ++b) result.push_back(per_network(b));
  return result;
}

Interpreter::Tables Interpreter::run(const netsor::Constant& operation) {
  return for_each_network([&](std::int64_t) { return *operation.matrix; });
}

Interpreter::Tables Interpreter::run(const netsor::Gram& operation) {
  const at::Tensor &left = bundle(operation.left), &right = bundle(operation.right);
  const auto width = static_cast<double>(left.size(2));
  const bool diagonal = diagonals_.contains(schedule_.steps[step_].node);
  return for_each_network([&](std::int64_t b) -> Eigen::MatrixXd {
    if (!diagonal) return inner_products(left, right, b) / width;
    return (diagonal_inner_products(left, right, b) / width).asDiagonal();
  });
}

Interpreter::Tables Interpreter::run(const netsor::Mean& operation) {
  const std::int64_t width = bundle(operation.argument).size(2);
  const at::Tensor ones = at::ones({1, 1, width}, options_).expand({1, networks_.count, width});
  return for_each_network([&](std::int64_t b) -> Eigen::MatrixXd {
    return inner_products(ones, bundle(operation.argument), b) / static_cast<double>(width);
  });
}

Interpreter::Tables Interpreter::run(const netsor::Apply& operation) {
  return for_each_network([&](std::int64_t b) {
    std::vector<const Eigen::MatrixXd*> arguments;
    for (const netsor::TableId id : operation.arguments) {
      arguments.push_back(&table(id)[static_cast<std::size_t>(b)]);
    }
    return apply_table_function(operation.function, arguments);
  });
}

}  // namespace nngpcheck::empirical
