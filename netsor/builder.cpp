#include "nngpcheck/netsor/builder.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <map>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/support/spelling.hpp"

namespace nngpcheck::netsor {

namespace {

std::uint32_t next_serial() {
  static std::atomic<std::uint32_t> counter{0};
  return ++counter;
}

std::string shape(Index rows, Index columns) { return std::to_string(rows) + "×" + std::to_string(columns); }

std::string columns(Index count) { return std::to_string(count) + (count == 1 ? " column" : " columns"); }

void check_epsilon(double epsilon, const char* instruction) {
  if (!(epsilon >= 0) || !std::isfinite(epsilon)) {
    throw ProgramError(std::string(instruction) + ": epsilon = " + support::shortest(epsilon) +
                       "; give a finite number that is not negative");
  }
}

bool is_identity(const SparseMatrix& matrix) {
  if (matrix.rows() != matrix.cols() || matrix.nonZeros() != matrix.cols()) return false;
  for (Index k = 0; k < matrix.cols(); ++k) {
    if (matrix.outerIndexPtr()[k] != k || matrix.innerIndexPtr()[k] != k || matrix.valuePtr()[k] != 1)
      return false;
  }
  return true;
}

}  // namespace

Builder::Builder() { program_.serial_ = next_serial(); }

template <class Kind>
void Builder::own(Id<Kind> id, const char* instruction) const {
  if (id.program() != program_.serial_) {
    throw ProgramError(std::string(instruction) +
                       ": an operand belongs to another program; build it with this builder");
  }
}

void Builder::claim_name(const std::string& name, const char* what) {
  if (name.empty()) {
    throw ProgramError(std::string(what) + ": every random object needs a name; it keys the randomness");
  }
  if (!names_.insert(name).second) {
    throw ProgramError(std::string(what) + " \"" + name +
                       "\": the name is taken; use the first object again to tie it, or choose another name");
  }
}

void Builder::check_variance(double variance, const std::string& what) const {
  if (!(variance >= 0) || !std::isfinite(variance)) {
    throw ProgramError(what + ": variance = " + support::shortest(variance) +
                       "; give a finite number that is not negative");
  }
}

std::string Builder::text(BundleId id) const { return program_.name(id.index()); }
std::string Builder::text(TableId id) const { return program_.name(id.index()); }

std::uint32_t Builder::record(Operation operation, Type type) {
  const std::size_t key = hash(operation);
  const auto [begin, end] = recorded_.equal_range(key);
  for (auto found = begin; found != end; ++found) {
    if (same(program_.nodes_[found->second].operation, operation)) return found->second;
  }
  if (program_.nodes_.size() == most_instructions) {
    throw ProgramError("more than " + std::to_string(most_instructions) +
                       " instructions; take fewer layers, shorter sequences or smaller kernels");
  }
  const auto index = static_cast<std::uint32_t>(program_.nodes_.size());
  program_.nodes_.push_back({std::move(operation), std::move(type), origin_});
  recorded_.emplace(key, index);
  return index;
}

BundleId Builder::record_bundle(Operation operation, BundleType type) {
  return {program_.serial_, record(std::move(operation), type)};
}

TableId Builder::record_table(Operation operation, TableType type) {
  return {program_.serial_, record(std::move(operation), type)};
}

const BundleType& Builder::type(BundleId id) const {
  own(id, "type");
  return program_.type(id);
}

const TableType& Builder::type(TableId id) const {
  own(id, "type");
  return program_.type(id);
}

// ---- Random objects ----

InputWeightId Builder::input_weight(InputWeight weight) {
  const std::string what = "input weight \"" + weight.name + "\"";
  check_variance(weight.variance, what);
  if (weight.inputs < 1) throw ProgramError(what + ": it needs at least one input dimension");
  claim_name(weight.name, "input weight");
  program_.input_weights_.push_back(std::move(weight));
  return {program_.serial_, static_cast<std::uint32_t>(program_.input_weights_.size() - 1)};
}

WeightId Builder::weight(Weight weight) {
  check_variance(weight.variance, "weight \"" + weight.name + "\"");
  claim_name(weight.name, "weight");
  program_.weights_.push_back(std::move(weight));
  return {program_.serial_, static_cast<std::uint32_t>(program_.weights_.size() - 1)};
}

BiasId Builder::bias(Bias bias) {
  const std::string what = "bias \"" + bias.name + "\"";
  check_variance(bias.variance, what);
  if (!std::isfinite(bias.mean)) {
    throw ProgramError(what + ": mean = " + support::shortest(bias.mean) + "; give a finite number");
  }
  claim_name(bias.name, "bias");
  program_.biases_.push_back(std::move(bias));
  return {program_.serial_, static_cast<std::uint32_t>(program_.biases_.size() - 1)};
}

ReadoutId Builder::readout(Readout readout) {
  check_variance(readout.variance, "readout \"" + readout.name + "\"");
  claim_name(readout.name, "readout");
  program_.readouts_.push_back(std::move(readout));
  return {program_.serial_, static_cast<std::uint32_t>(program_.readouts_.size() - 1)};
}

// ---- Bundles ----

BundleId Builder::input(InputWeightId weight, Eigen::MatrixXd data) {
  own(weight, "input");
  const InputWeight& object = program_[weight];
  const std::string what = "input(" + object.name + ", data)";
  if (data.cols() < 1) throw ProgramError(what + ": the data have no columns; give one column per input");
  if (data.rows() != object.inputs) {
    throw ProgramError(what + ": " + object.name + " takes " + std::to_string(object.inputs) +
                       " input dimensions but the data have " + std::to_string(data.rows()) +
                       " rows; give one column per input, one row per dimension");
  }
  for (Index j = 0; j < data.cols(); ++j) {
    for (Index i = 0; i < data.rows(); ++i) {
      if (!std::isfinite(data(i, j))) {
        throw ProgramError(what + ": the entry at row " + std::to_string(i) + ", column " +
                           std::to_string(j) + " is " + support::shortest(data(i, j)) +
                           "; data must be finite");
      }
    }
  }
  const Index count = data.cols();
  return record_bundle(Input{weight, std::make_shared<const Eigen::MatrixXd>(std::move(data))},
                       {object.width, count, true});
}

BundleId Builder::column(BiasId bias) {
  own(bias, "column");
  return record_bundle(BiasColumn{bias}, {program_[bias].width, 1, true});
}

BundleId Builder::ones(Width width) { return record_bundle(Ones{width}, {width, 1, true}); }

BundleId Builder::matmul(WeightId weight, BundleId bundle) {
  own(weight, "matmul");
  own(bundle, "matmul");
  const Weight& object = program_[weight];
  const BundleType& argument = program_.type(bundle);
  if (object.columns != argument.width) {
    throw ProgramError("matmul(" + object.name + ", " + text(bundle) + "): " + object.name + " takes width " +
                       object.columns.text() + " but " + text(bundle) + " has width " +
                       argument.width.text() +
                       "; declare the weight with columns = " + argument.width.text() +
                       " (a weight's transpose is outside NETSOR: the theorem does not cover it)");
  }
  return record_bundle(MatMul{weight, bundle}, {object.rows, argument.columns, true});
}

BundleId Builder::mix(BundleId bundle, SparseMatrix matrix) {
  own(bundle, "mix");
  const BundleType& argument = program_.type(bundle);
  if (matrix.rows() != argument.columns || matrix.cols() < 1) {
    throw ProgramError("mix(" + text(bundle) + ", M): M is " + shape(matrix.rows(), matrix.cols()) + " but " +
                       text(bundle) + " has " + columns(argument.columns) +
                       "; M needs one row per column of the bundle, and at least one column");
  }
  matrix.prune(0.0, 0.0);
  matrix.makeCompressed();
  for (Index k = 0; k < matrix.nonZeros(); ++k) {
    if (!std::isfinite(matrix.valuePtr()[k])) {
      throw ProgramError("mix(" + text(bundle) +
                         ", M): an entry of M is not finite; constants must be finite");
    }
  }
  if (is_identity(matrix)) return bundle;
  const BundleType type{argument.width, matrix.cols(), argument.gaussian};
  return record_bundle(Mix{bundle, std::make_shared<const SparseMatrix>(std::move(matrix))}, type);
}

BundleId Builder::mix(BundleId bundle, TableId table) {
  own(bundle, "mix");
  own(table, "mix");
  const BundleType& argument = program_.type(bundle);
  const TableType& factor = program_.type(table);
  if (factor.rows != argument.columns) {
    throw ProgramError("mix(" + text(bundle) + ", " + text(table) + "): " + text(table) + " is " +
                       shape(factor.rows, factor.columns) + " but " + text(bundle) + " has " +
                       columns(argument.columns) + "; the table needs one row per column of the bundle");
  }
  return record_bundle(TableMix{bundle, table}, {argument.width, factor.columns, argument.gaussian});
}

BundleId Builder::select(BundleId bundle, const std::vector<Index>& selected) {
  own(bundle, "select");
  const Index available = program_.type(bundle).columns;
  SparseMatrix matrix(available, std::ssize(selected));
  matrix.reserve(std::ssize(selected));
  for (Index j = 0; j < std::ssize(selected); ++j) {
    const Index column = selected[static_cast<std::size_t>(j)];
    if (column < 0 || column >= available) {
      throw ProgramError("select(" + text(bundle) + "): column " + std::to_string(column) + " but " +
                         text(bundle) + " has " + columns(available) + "; columns count from 0");
    }
    matrix.startVec(j);
    matrix.insertBack(column, j) = 1;
  }
  matrix.finalize();
  return mix(bundle, std::move(matrix));
}

BundleId Builder::add(std::vector<Add::Term> terms) {
  if (terms.empty()) throw ProgramError("add: it has no terms; give at least one");
  std::map<BundleId, double> collected;
  for (const Add::Term& term : terms) {
    own(term.bundle, "add");
    if (!std::isfinite(term.coefficient)) {
      throw ProgramError("add: the coefficient of " + text(term.bundle) + " is " +
                         support::shortest(term.coefficient) + "; coefficients must be finite");
    }
    collected[term.bundle] += term.coefficient;
  }
  BundleType type = program_.type(terms.front().bundle);
  const BundleId first = terms.front().bundle;
  BundleId widest = first;
  terms.clear();
  for (const auto& [bundle, coefficient] : collected) {
    const BundleType& term = program_.type(bundle);
    if (term.width != type.width) {
      throw ProgramError("add(" + text(first) + ", " + text(bundle) + "): widths " + type.width.text() +
                         " and " + term.width.text() + " differ; sums need equal widths");
    }
    if (term.columns != 1 && type.columns != 1 && term.columns != type.columns) {
      throw ProgramError("add(" + text(widest) + ", " + text(bundle) + "): " + columns(type.columns) +
                         " and " + columns(term.columns) +
                         "; sums need equally many columns, or one to broadcast");
    }
    if (term.columns > type.columns) {
      type.columns = term.columns;
      widest = bundle;
    }
    type.gaussian = type.gaussian && term.gaussian;
    terms.push_back({coefficient, bundle});
  }
  if (terms.size() == 1 && terms.front().coefficient == 1) return terms.front().bundle;
  return record_bundle(Add{std::move(terms)}, type);
}

BundleId Builder::scale(BundleId bundle, TableId factors) {
  own(bundle, "scale");
  own(factors, "scale");
  const BundleType& argument = program_.type(bundle);
  const TableType& table = program_.type(factors);
  if (table.rows != 1 || table.columns != argument.columns) {
    throw ProgramError("scale(" + text(bundle) + ", " + text(factors) + "): " + text(factors) + " is " +
                       shape(table.rows, table.columns) + " but must be " + shape(1, argument.columns) +
                       ", one factor per column of " + text(bundle));
  }
  return record_bundle(Scale{bundle, factors}, argument);
}

BundleId Builder::map(const Activation& activation, BundleId bundle) {
  own(bundle, "map");
  if (activation.kind() == Activation::Kind::identity) return bundle;
  const auto [known, fresh] = activations_.try_emplace(activation.name(), activation);
  if (!fresh && known->second != activation) {
    throw ProgramError("map(" + activation.name() + ", " + text(bundle) +
                       "): another function of this program is called \"" + activation.name() +
                       "\", too; give one of them another name" +
                       (activation.kind() == Activation::Kind::custom
                            ? ", or use the same Activation (or a copy) if they are one function"
                            : ""));
  }
  BundleType type = program_.type(bundle);
  type.gaussian = false;
  return record_bundle(Map{activation, bundle}, type);
}

BundleType Builder::pointwise(const char* instruction, const std::vector<BundleId>& bundles) const {
  for (const BundleId bundle : bundles) own(bundle, instruction);
  BundleId widest = bundles.front();
  for (const BundleId bundle : bundles) {
    const BundleType& a = program_.type(widest);
    const BundleType& b = program_.type(bundle);
    const std::string what = std::string(instruction) + "(" + text(widest) + ", " + text(bundle) + "): ";
    if (a.width != b.width) {
      throw ProgramError(what + "widths " + a.width.text() + " and " + b.width.text() +
                         " differ; coordinatewise instructions need equal widths");
    }
    if (a.columns != b.columns && a.columns != 1 && b.columns != 1) {
      throw ProgramError(what + columns(a.columns) + " and " + columns(b.columns) +
                         "; give equally many columns, or one to broadcast");
    }
    if (b.columns > a.columns) widest = bundle;
  }
  return {program_.type(widest).width, program_.type(widest).columns, false};
}

BundleId Builder::mul(BundleId left, BundleId right) {
  const BundleType type = pointwise("mul", {left, right});
  if (left == right) return map(Activation::named("square"), left);
  return record_bundle(Mul{std::min(left, right), std::max(left, right)}, type);
}

BundleId Builder::max(BundleId left, BundleId right) {
  const BundleType type = pointwise("max", {left, right});
  if (left == right) return left;
  return record_bundle(Max{std::min(left, right), std::max(left, right)}, type);
}

BundleId Builder::nonlin(const Function& function, std::vector<BundleId> bundles) {
  const std::string what = "nonlin(" + function.name() + "): ";
  if (function.arguments() < 2) {
    throw ProgramError(
        what + "a function of one argument; use map with Activation::custom, whose limit is more exact");
  }
  if (bundles.size() != function.arguments()) {
    throw ProgramError(what + "it takes " + std::to_string(function.arguments()) + " bundles but got " +
                       std::to_string(bundles.size()) + "; give one bundle per argument");
  }
  const BundleType type = pointwise("nonlin", bundles);
  if (functions_.try_emplace(function.name(), function).first->second != function) {
    throw ProgramError(
        what +
        "another function of this program has that name; use that one (or a copy of it) again, or "
        "choose another name");
  }
  return record_bundle(Nonlin{function, std::move(bundles)}, type);
}

BundleId Builder::standardize(BundleId bundle, std::vector<int> group, double epsilon) {
  own(bundle, "standardize");
  check_epsilon(epsilon, "standardize");
  BundleType type = program_.type(bundle);
  const std::string what = "standardize(" + text(bundle) + "): ";
  if (static_cast<Index>(group.size()) != type.columns) {
    throw ProgramError(what + std::to_string(group.size()) + " group numbers for " + columns(type.columns) +
                       "; give one per column");
  }
  std::map<int, int> renumbered;  // by first appearance, so that equal partitions are equal instructions
  std::vector<int> size;
  for (int& g : group) {
    g = renumbered.try_emplace(g, static_cast<int>(renumbered.size())).first->second;
    size.resize(renumbered.size());
    ++size[static_cast<std::size_t>(g)];
  }
  if (epsilon == 0 && std::find(size.begin(), size.end(), 1) != size.end()) {
    throw ProgramError(what +
                       "a group has one column, so its variance is 0; give each group two or more "
                       "columns, or epsilon > 0");
  }
  type.gaussian = false;
  return record_bundle(Standardize{bundle, std::move(group), epsilon}, type);
}

// ---- Tables ----

TableId Builder::constant(Eigen::MatrixXd matrix) {
  if (matrix.size() == 0) throw ProgramError("constant: the table is empty; give at least one entry");
  if (!matrix.allFinite()) throw ProgramError("constant: an entry is not finite; constants must be finite");
  const TableType type{matrix.rows(), matrix.cols()};
  return record_table(Constant{std::make_shared<const Eigen::MatrixXd>(std::move(matrix))}, type);
}

TableId Builder::gram(BundleId left, BundleId right) {
  own(left, "gram");
  own(right, "gram");
  const BundleType& a = program_.type(left);
  const BundleType& b = program_.type(right);
  if (a.width != b.width) {
    throw ProgramError("gram(" + text(left) + ", " + text(right) + "): widths " + a.width.text() + " and " +
                       b.width.text() + " differ; inner products need equal widths");
  }
  return record_table(Gram{left, right}, {a.columns, b.columns});
}

TableId Builder::mean(BundleId bundle) {
  own(bundle, "mean");
  return record_table(Mean{bundle}, {1, program_.type(bundle).columns});
}

TableType Builder::table_type(const TableFunction& function, const std::vector<TableId>& arguments) const {
  const TableType first = program_.type(arguments.front());
  const auto one = [&](const char* name) {
    if (arguments.size() != 1) {
      throw ProgramError("apply(" + std::string(name) + "): it takes one table but got " +
                         std::to_string(arguments.size()));
    }
  };
  const auto alike = [&](const char* name) {
    for (const TableId argument : arguments) {
      const TableType& type = program_.type(argument);
      if (type.rows != first.rows || type.columns != first.columns) {
        throw ProgramError("apply(" + std::string(name) + "): " + text(arguments.front()) + " is " +
                           shape(first.rows, first.columns) + " but " + text(argument) + " is " +
                           shape(type.rows, type.columns) + "; give tables of one shape");
      }
    }
    return first;
  };
  return std::visit(
      Overloaded{
          [&](const SoftmaxKeys& f) {
            one("softmax_keys");
            if (!f.mask) return first;
            if (f.mask->rows() != first.rows || f.mask->cols() != first.columns) {
              throw ProgramError("apply(softmax_keys): the mask is " + shape(f.mask->rows(), f.mask->cols()) +
                                 " but the table is " + shape(first.rows, first.columns) +
                                 "; give one entry per key and query");
            }
            if (!f.mask->allFinite()) {
              throw ProgramError("apply(softmax_keys): an entry of the mask is not finite; give 0 or 1");
            }
            for (Index query = 0; query < first.columns; ++query) {
              if ((f.mask->col(query).array() == 0).all()) {
                throw ProgramError("apply(softmax_keys): the mask leaves query " + std::to_string(query) +
                                   " no key; every column needs an entry that is not 0");
              }
            }
            return first;
          },
          [&](const Rsqrt& f) {
            one("rsqrt");
            check_epsilon(f.epsilon, "apply(rsqrt)");
            return first;
          },
          [&](const Transpose&) {
            one("transpose");
            return TableType{first.columns, first.rows};
          },
          [&](const Diagonal&) {
            one("diagonal");
            if (first.rows != first.columns) {
              throw ProgramError("apply(diagonal): " + text(arguments.front()) + " is " +
                                 shape(first.rows, first.columns) + "; the diagonal needs a square table");
            }
            return TableType{1, first.columns};
          },
          [&](const Sum& f) {
            if (f.coefficients.size() != arguments.size()) {
              throw ProgramError("apply(sum): " + std::to_string(f.coefficients.size()) +
                                 " coefficients for " + std::to_string(arguments.size()) +
                                 " tables; give one per table");
            }
            for (const double c : f.coefficients) {
              if (!std::isfinite(c)) {
                throw ProgramError("apply(sum): a coefficient is not finite; coefficients must be finite");
              }
            }
            return alike("sum");
          },
          [&](const Product&) { return alike("product"); },
      },
      function);
}

TableId Builder::apply(TableFunction function, std::vector<TableId> arguments) {
  if (arguments.empty()) throw ProgramError("apply: it has no tables; give at least one");
  for (const TableId argument : arguments) own(argument, "apply");
  const TableType type = table_type(function, arguments);
  return record_table(Apply{std::move(function), std::move(arguments)}, type);
}

std::uint32_t Builder::append(const Operation& operation) {
  const auto append = Overloaded{
      [&](const Input& op) { return input(op.weight, *op.data); },
      [&](const BiasColumn& op) { return column(op.bias); },
      [&](const Ones& op) { return ones(op.width); },
      [&](const MatMul& op) { return matmul(op.weight, op.argument); },
      [&](const Mix& op) { return mix(op.argument, *op.matrix); },
      [&](const TableMix& op) { return mix(op.argument, op.table); },
      [&](const Add& op) { return add(op.terms); },
      [&](const Scale& op) { return scale(op.argument, op.factors); },
      [&](const Map& op) { return map(op.activation, op.argument); },
      [&](const Mul& op) { return mul(op.left, op.right); },
      [&](const Max& op) { return max(op.left, op.right); },
      [&](const Nonlin& op) { return nonlin(op.function, op.arguments); },
      [&](const Standardize& op) { return standardize(op.argument, op.group, op.epsilon); },
      [&](const Constant& op) { return constant(*op.matrix); },
      [&](const Gram& op) { return gram(op.left, op.right); },
      [&](const Mean& op) { return mean(op.argument); },
      [&](const Apply& op) { return apply(op.function, op.arguments); },
  };
  return std::visit([&](const auto& op) { return append(op).index(); }, operation);
}

// ---- Output ----

void Builder::output(ReadoutId readout, std::vector<BundleId> blocks, std::vector<std::string> labels) {
  own(readout, "output");
  if (has_output_)
    throw ProgramError("output: the program has one already; a program has exactly one output");
  if (blocks.empty()) throw ProgramError("output: it has no blocks; give at least one bundle");
  for (const BundleId block : blocks) {
    own(block, "output");
    if (program_.type(block).columns != program_.type(blocks.front()).columns) {
      throw ProgramError("output: " + text(blocks.front()) + " has " +
                         columns(program_.type(blocks.front()).columns) + " but " + text(block) + " has " +
                         columns(program_.type(block).columns) + "; all blocks need equally many");
    }
  }
  Width total = program_.type(blocks.front()).width;  // known to exist from here on
  for (std::size_t k = 1; k < blocks.size(); ++k) total = total + program_.type(blocks[k]).width;
  const Index count = program_.type(blocks.front()).columns;
  if (labels.empty()) {
    for (Index j = 0; j < count; ++j) labels.push_back(std::to_string(j));
  }
  if (static_cast<Index>(labels.size()) != count) {
    throw ProgramError("output: " + std::to_string(labels.size()) + " labels for " + columns(count) +
                       "; give one per column");
  }
  std::set<std::string> seen;
  for (const std::string& label : labels) {
    if (!seen.insert(label).second) {
      throw ProgramError("output: the label \"" + label + "\" appears twice; labels must differ");
    }
  }
  program_.output_ = {readout, std::move(blocks), std::move(labels)};
  has_output_ = true;
}

Program Builder::build() && {
  if (!has_output_) throw ProgramError("build: the program has no output; call output() first");
  return std::move(program_);
}

}  // namespace nngpcheck::netsor
