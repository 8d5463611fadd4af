#include "empirical/interpreter.hpp"

#include <algorithm>
#include <type_traits>

#include "empirical/activations.hpp"
#include "empirical/products.hpp"
#include "empirical/tables.hpp"

namespace nngpcheck::empirical {

namespace {

// X ↦ the mean of each group's columns.
netsor::SparseMatrix group_means(const std::vector<int>& group) {
  const int groups = 1 + *std::max_element(group.begin(), group.end());
  std::vector<double> size(static_cast<std::size_t>(groups), 0.0);
  for (const int g : group) ++size[static_cast<std::size_t>(g)];
  std::vector<Eigen::Triplet<double>> entries;
  for (std::size_t column = 0; column < group.size(); ++column) {
    entries.emplace_back(static_cast<int>(column), group[column],
                         1 / size[static_cast<std::size_t>(group[column])]);
  }
  netsor::SparseMatrix result(static_cast<Eigen::Index>(group.size()), groups);
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

// From one column per group back to all columns.
netsor::SparseMatrix spread(const std::vector<int>& group) {
  const int groups = 1 + *std::max_element(group.begin(), group.end());
  std::vector<Eigen::Triplet<double>> entries;
  for (std::size_t column = 0; column < group.size(); ++column) {
    entries.emplace_back(group[column], static_cast<int>(column), 1.0);
  }
  netsor::SparseMatrix result(groups, static_cast<Eigen::Index>(group.size()));
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

}  // namespace

Interpreter::Interpreter(const netsor::Program& program, const Schedule& schedule, Precision precision,
                         at::Device device, std::int64_t capacity)
    : program_(program),
      schedule_(schedule),
      options_(at::TensorOptions(device).dtype(precision == Precision::float64 ? at::kDouble : at::kFloat)),
      bundles_(program.nodes().size()),
      tables_(program.nodes().size()) {
  for (std::size_t slot = 0; slot < schedule.slot_size.size(); ++slot) {
    const std::int64_t size = capacity * static_cast<std::int64_t>(schedule.slot_size[slot]);
    const at::TensorOptions host = options_.device(at::kCPU);
    slots_.push_back(at::empty({size}, schedule.slot_exact[slot] ? host.dtype(at::kDouble) : options_));
    staging_.push_back(slots_.back().is_cpu() ? slots_.back() : at::empty({size}, host));
  }
  for (const Step& step : schedule.steps) {
    const netsor::Operation& operation = program.nodes()[step.node].operation;
    if (const auto* mix = std::get_if<netsor::Mix>(&operation)) {
      mixers_[step.node].emplace_back(*mix->matrix, options_);
    } else if (const auto* standardize = std::get_if<netsor::Standardize>(&operation)) {
      mixers_[step.node].emplace_back(group_means(standardize->group), options_);
      mixers_[step.node].emplace_back(spread(standardize->group), options_);
    }
  }
}

std::vector<at::Tensor> Interpreter::outputs(const Networks& networks) {
  networks_ = networks;
  for (step_ = 0; step_ < schedule_.steps.size(); ++step_) {
    const Step& step = schedule_.steps[step_];
    std::visit(
        [&](const auto& operation) {
          if constexpr (std::is_same_v<decltype(run(operation)), at::Tensor>) {
            bundles_[step.node] = run(operation);
          } else {
            tables_[step.node] = run(operation);
          }
        },
        program_.nodes()[step.node].operation);
    for (const std::size_t node : step.release) {
      bundles_[node].reset();
      tables_[node].clear();
    }
  }
  std::vector<at::Tensor> result;
  for (const netsor::BundleId block : program_.output().blocks) result.push_back(bundle(block));
  for (at::Tensor& value : bundles_) value.reset();
  return result;
}

std::vector<Eigen::MatrixXd> Interpreter::kernels(const Networks& networks) {
  const std::vector<at::Tensor> blocks = outputs(networks);
  std::int64_t width = 0;
  for (const at::Tensor& block : blocks) width += block.size(2);
  const double scale = program_.readout().variance / static_cast<double>(width);
  std::vector<Eigen::MatrixXd> result;
  for (std::int64_t b = 0; b < networks.count; ++b) {
    Eigen::MatrixXd kernel = Eigen::MatrixXd::Zero(program_.outputs(), program_.outputs());
    for (const at::Tensor& block : blocks) {
      const at::Tensor x = block.select(1, b);
      kernel += inner_products(x, x);
    }
    result.push_back(kernel.selfadjointView<Eigen::Lower>());
    result.back() *= scale;
  }
  return result;
}

// ---- Random objects ----

at::Tensor Interpreter::drawn(const RandomObject& object) {
  at::Tensor result = at::empty({networks_.count, object.rows, object.columns}, options_.device(at::kCPU));
  draw(object, networks_, result);
  return result.to(options_.device());
}

at::Tensor Interpreter::weight_matrices(netsor::WeightId id) {
  const Placement& place = schedule_.weights[id.index()];
  const RandomObject object = random_object(program_[id], networks_.width);
  const auto matrices = [&](const at::Tensor& slot) {
    return slot.narrow(0, 0, networks_.count * object.rows * object.columns)
        .view({networks_.count, object.rows, object.columns});
  };
  at::Tensor result = matrices(slots_[place.slot]);
  if (place.first_step == step_) {
    at::Tensor target = matrices(staging_[place.slot]);
    draw(object, networks_, target);
    if (!result.is_cpu()) result.copy_(target);
  }
  return result;
}

at::Tensor Interpreter::run(const netsor::Input& operation) {
  const at::Tensor data = to_tensor(operation.data->transpose(), options_);
  const at::Tensor weights = drawn(random_object(program_[operation.weight], networks_.width));
  return multiply_weights(weights, data.unsqueeze(1).expand({data.size(0), networks_.count, data.size(1)}));
}

at::Tensor Interpreter::run(const netsor::BiasColumn& operation) {
  return drawn(random_object(program_[operation.bias], networks_.width)).permute({2, 0, 1}).contiguous();
}

// Network by network and column by column; one network's numbers are the same in every batch.
at::Tensor Interpreter::exact_products(const netsor::MatMul& operation) {
  const std::size_t weight = operation.weight.index();
  const Placement& place = schedule_.weights[weight];
  const RandomObject object = random_object(program_[operation.weight], networks_.width);
  std::vector<ExactProduct>& products = exact_[weight];
  if (place.first_step == step_) {
    products.clear();
    double* storage = slots_[place.slot].data_ptr<double>();
    for (std::int64_t b = 0; b < networks_.count; ++b) {
      products.emplace_back(storage, object.rows, object.columns, place.uses,
                            exact_stream(object, networks_, b), object.deviation);
      storage += ExactProduct::storage_size(object.rows, object.columns, place.uses);
    }
  }
  const at::Tensor x = bundle(operation.argument).to(at::kCPU, at::kDouble).contiguous();
  const at::Tensor y = at::empty({x.size(0), x.size(1), object.rows}, x.options());
  for (std::int64_t b = 0; b < networks_.count; ++b) {
    for (std::int64_t j = 0; j < x.size(0); ++j) {
      const std::int64_t row = j * x.size(1) + b;
      products[static_cast<std::size_t>(b)].apply(x.data_ptr<double>() + row * object.columns,
                                                  y.data_ptr<double>() + row * object.rows);
    }
  }
  return y.to(options_.device(), options_.dtype().toScalarType());
}

at::Tensor Interpreter::run(const netsor::MatMul& operation) {
  if (schedule_.weights[operation.weight.index()].exact) return exact_products(operation);
  return multiply_weights(weight_matrices(operation.weight), bundle(operation.argument));
}

// ---- Bundles ----

at::Tensor Interpreter::run(const netsor::Ones& operation) {
  return at::ones({1, networks_.count, operation.width.at(networks_.width)}, options_);
}

at::Tensor Interpreter::run(const netsor::Mix& operation) {
  return mixers_.at(schedule_.steps[step_].node)[0](bundle(operation.argument));
}

at::Tensor Interpreter::run(const netsor::TableMix& operation) {
  const at::Tensor& argument = bundle(operation.argument);
  const Tables& factors = table(operation.table);
  at::Tensor result = at::empty({factors.front().cols(), argument.size(1), argument.size(2)}, options_);
  for (std::size_t b = 0; b < factors.size(); ++b) {
    const auto index = static_cast<std::int64_t>(b);
    result.select(1, index).copy_(multiply_table(argument.select(1, index), factors[b]));
  }
  return result;
}

at::Tensor Interpreter::run(const netsor::Add& operation) {
  at::Tensor result;
  for (const auto& [coefficient, id] : operation.terms) {
    const at::Tensor term = coefficient == 1 ? bundle(id) : bundle(id) * coefficient;
    result = result.defined() ? result + term : term;
  }
  return result;
}

at::Tensor Interpreter::run(const netsor::Scale& operation) {
  const Tables& factors = table(operation.factors);
  Eigen::MatrixXd columns(factors.front().cols(), static_cast<Eigen::Index>(factors.size()));
  for (std::size_t b = 0; b < factors.size(); ++b)
    columns.col(static_cast<Eigen::Index>(b)) = factors[b].transpose();
  return bundle(operation.argument) * to_tensor(columns, options_).unsqueeze(2);
}

at::Tensor Interpreter::run(const netsor::Map& operation) {
  return apply_activation(operation.activation, bundle(operation.argument));
}

at::Tensor Interpreter::run(const netsor::Mul& operation) {
  return bundle(operation.left) * bundle(operation.right);
}

at::Tensor Interpreter::run(const netsor::Max& operation) {
  return at::maximum(bundle(operation.left), bundle(operation.right));
}

at::Tensor Interpreter::run(const netsor::Standardize& operation) {
  const std::vector<Mixer>& mixers = mixers_.at(schedule_.steps[step_].node);
  const Mixer& mean = mixers[0];
  const Mixer& all_columns = mixers[1];
  const at::Tensor& argument = bundle(operation.argument);
  const at::Tensor centred = argument - all_columns(mean(argument));
  const at::Tensor variance = mean(centred * centred);
  return centred / all_columns((variance + operation.epsilon).sqrt());
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
  const auto width = static_cast<double>(bundle(operation.left).size(2));
  return for_each_network([&](std::int64_t b) -> Eigen::MatrixXd {
    return inner_products(network(operation.left, b), network(operation.right, b)) / width;
  });
}

Interpreter::Tables Interpreter::run(const netsor::Mean& operation) {
  const std::int64_t width = bundle(operation.argument).size(2);
  const at::Tensor ones = at::ones({1, width}, options_);
  return for_each_network([&](std::int64_t b) -> Eigen::MatrixXd {
    return inner_products(ones, network(operation.argument, b)) / static_cast<double>(width);
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
