#include "netsor/restrict.hpp"

#include <algorithm>
#include <set>

#include "netsor/builder.hpp"
#include "netsor/error.hpp"

namespace nngpcheck::netsor {

namespace {

using Columns = std::vector<Index>;

// For each instruction, the columns of it (for tables: {0}) that given columns of the output depend on,
// ascending.
class Demand {
 public:
  Demand(const Program& program, const Columns& outputs)
      : program_(program), needed_(program.nodes().size()), named_(program.nodes().size(), false) {
    for (const BundleId block : program.output().blocks) add(block, outputs);
    for (std::size_t k = needed_.size(); k-- > 0;) {
      if (named_[k] && needed_[k].empty()) needed_[k].insert(0);
      if (needed_[k].empty()) continue;
      const Columns columns = of(k);
      std::visit([&](const auto& op) { propagate(op, columns); }, program.nodes()[k].operation);
    }
  }

  bool needs(std::size_t index) const { return !needed_[index].empty(); }
  Columns of(std::size_t index) const { return {needed_[index].begin(), needed_[index].end()}; }

 private:
  void add(BundleId id, const Columns& columns) {
    needed_[id.index()].insert(columns.begin(), columns.end());
  }
  void add(TableId id) { needed_[id.index()].insert(0); }
  void add_all(BundleId id) {
    for (Index column = 0; column < program_.type(id).columns; ++column) needed_[id.index()].insert(column);
  }
  // An operand of a coordinatewise instruction: one column is broadcast.
  void add_operand(BundleId id, const Columns& columns) {
    program_.type(id).columns == 1 ? add(id, {0}) : add(id, columns);
  }

  void propagate(const MatMul& op, const Columns& columns) { add(op.argument, columns); }
  void propagate(const Map& op, const Columns& columns) { add(op.argument, columns); }
  void propagate(const Mix& op, const Columns& columns) {
    for (const Index column : columns) {
      for (SparseMatrix::InnerIterator it(*op.matrix, column); it; ++it) add(op.argument, {it.row()});
    }
    named_[op.argument.index()] = true;  // a column of zeros is 0 times something
  }
  void propagate(const TableMix& op, const Columns&) {
    add_all(op.argument);
    add(op.table);
  }
  void propagate(const Scale& op, const Columns&) {
    add_all(op.argument);
    add(op.factors);
  }
  void propagate(const Add& op, const Columns& columns) {
    for (const Add::Term& term : op.terms) add_operand(term.bundle, columns);
  }
  void propagate(const Mul& op, const Columns& columns) {
    add_operand(op.left, columns);
    add_operand(op.right, columns);
  }
  void propagate(const Max& op, const Columns& columns) {
    add_operand(op.left, columns);
    add_operand(op.right, columns);
  }
  void propagate(const Standardize& op, const Columns& columns) {
    std::set<int> touched;
    for (const Index column : columns) touched.insert(op.group[static_cast<std::size_t>(column)]);
    for (std::size_t j = 0; j < op.group.size(); ++j) {
      if (touched.contains(op.group[j])) add(op.argument, {static_cast<Index>(j)});
    }
  }
  void propagate(const Gram& op, const Columns&) {
    add_all(op.left);
    add_all(op.right);
  }
  void propagate(const Mean& op, const Columns&) { add_all(op.argument); }
  void propagate(const Apply& op, const Columns&) {
    for (const TableId argument : op.arguments) add(argument);
  }
  template <class WithoutOperands>
  void propagate(const WithoutOperands&, const Columns&) {}

  const Program& program_;
  std::vector<std::set<Index>> needed_;
  std::vector<bool> named_;  // some instruction that is needed names it, even if it reads no column of it
};

// Rewrites instructions of one program into the builder of another, for some of their columns only.
class Restriction {
 public:
  explicit Restriction(const Program& source) : source_(source) {
    for (const InputWeight& w : source.input_weights()) input_weights_.push_back(builder_.input_weight(w));
    for (const Weight& w : source.weights()) weights_.push_back(builder_.weight(w));
    for (const Bias& b : source.biases()) biases_.push_back(builder_.bias(b));
    readout_ = builder_.readout(source.readout());
  }

  Builder& builder() { return builder_; }
  ReadoutId readout() const { return readout_; }

  // The output blocks at these columns.
  std::vector<BundleId> blocks(const Columns& outputs) {
    const Demand demand(source_, outputs);
    const std::size_t count = source_.nodes().size();
    made_.assign(count, 0);
    columns_.assign(count, {});
    for (std::size_t k = 0; k < count; ++k) {
      if (!demand.needs(k)) continue;
      columns_[k] = demand.of(k);
      builder_.set_origin(origin(k));
      made_[k] = std::visit([&](const auto& op) { return rewrite(op, columns_[k]).index(); },
                            source_.nodes()[k].operation);
    }
    builder_.set_origin({});
    std::vector<BundleId> result;
    for (const BundleId block : source_.output().blocks) result.push_back(at(block, outputs));
    return result;
  }

 private:
  // Most instructions of a layer keep the same columns, and share an origin.
  std::shared_ptr<const Origin> origin(std::size_t k) {
    const Node& node = source_.nodes()[k];
    const auto* type = std::get_if<BundleType>(&node.type);
    if (!type || !node.origin || std::ssize(columns_[k]) == type->columns) return node.origin;
    if (last_origin_.first != node.origin || last_origin_.second != columns_[k]) {
      last_origin_ = {node.origin, columns_[k]};
      restricted_origin_ =
          std::make_shared<const Origin>(node.origin->restricted(columns_[k], type->columns));
    }
    return restricted_origin_;
  }

  BundleId whole(BundleId id) const { return {builder_serial(), made_[id.index()]}; }
  TableId table(TableId id) const { return {builder_serial(), made_[id.index()]}; }
  std::uint32_t builder_serial() const { return readout_.program(); }

  // The places of `columns` of the source's bundle among the columns that its rewritten form kept.
  Columns places(BundleId id, const Columns& columns) const {
    const Columns& kept = columns_[id.index()];
    Columns result;
    for (const Index column : columns) {
      result.push_back(std::lower_bound(kept.begin(), kept.end(), column) - kept.begin());
    }
    return result;
  }

  BundleId at(BundleId id, const Columns& columns) { return builder_.select(whole(id), places(id, columns)); }
  BundleId operand(BundleId id, const Columns& columns) {
    return source_.type(id).columns == 1 ? whole(id) : at(id, columns);
  }

  BundleId rewrite(const Input& op, const Columns& columns) {
    return builder_.input(input_weights_[op.weight.index()], (*op.data)(Eigen::all, columns));
  }
  BundleId rewrite(const BiasColumn& op, const Columns&) { return builder_.column(biases_[op.bias.index()]); }
  BundleId rewrite(const Ones& op, const Columns&) { return builder_.ones(op.width); }
  BundleId rewrite(const MatMul& op, const Columns& columns) {
    return builder_.matmul(weights_[op.weight.index()], at(op.argument, columns));
  }
  BundleId rewrite(const Mix& op, const Columns& columns) {
    std::vector<Eigen::Triplet<double>> entries;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      for (SparseMatrix::InnerIterator it(*op.matrix, columns[j]); it; ++it) {
        const Index row = places(op.argument, {it.row()}).front();
        entries.emplace_back(static_cast<int>(row), static_cast<int>(j), it.value());
      }
    }
    SparseMatrix matrix(static_cast<Index>(columns_[op.argument.index()].size()),
                        static_cast<Index>(columns.size()));
    matrix.setFromTriplets(entries.begin(), entries.end());
    return builder_.mix(whole(op.argument), std::move(matrix));
  }
  BundleId rewrite(const TableMix& op, const Columns& columns) {
    return builder_.select(builder_.mix(whole(op.argument), table(op.table)), columns);
  }
  BundleId rewrite(const Add& op, const Columns& columns) {
    std::vector<Add::Term> terms;
    for (const Add::Term& term : op.terms) terms.push_back({term.coefficient, operand(term.bundle, columns)});
    return builder_.add(std::move(terms));
  }
  BundleId rewrite(const Scale& op, const Columns& columns) {
    return builder_.select(builder_.scale(whole(op.argument), table(op.factors)), columns);
  }
  BundleId rewrite(const Map& op, const Columns& columns) {
    return builder_.map(op.activation, at(op.argument, columns));
  }
  BundleId rewrite(const Mul& op, const Columns& columns) {
    const BundleId left = operand(op.left, columns);
    return builder_.mul(left, operand(op.right, columns));
  }
  BundleId rewrite(const Max& op, const Columns& columns) {
    const BundleId left = operand(op.left, columns);
    return builder_.max(left, operand(op.right, columns));
  }
  BundleId rewrite(const Standardize& op, const Columns& columns) {
    std::set<int> touched;
    for (const Index column : columns) touched.insert(op.group[static_cast<std::size_t>(column)]);
    Columns members;  // every column of a group that some needed column is in
    std::vector<int> group;
    for (std::size_t j = 0; j < op.group.size(); ++j) {
      if (!touched.contains(op.group[j])) continue;
      members.push_back(static_cast<Index>(j));
      group.push_back(op.group[j]);
    }
    Columns selected;
    for (const Index column : columns) {
      selected.push_back(std::lower_bound(members.begin(), members.end(), column) - members.begin());
    }
    return builder_.select(builder_.standardize(at(op.argument, members), std::move(group), op.epsilon),
                           selected);
  }
  TableId rewrite(const Constant& op, const Columns&) { return builder_.constant(*op.matrix); }
  TableId rewrite(const Gram& op, const Columns&) { return builder_.gram(whole(op.left), whole(op.right)); }
  TableId rewrite(const Mean& op, const Columns&) { return builder_.mean(whole(op.argument)); }
  TableId rewrite(const Apply& op, const Columns&) {
    std::vector<TableId> arguments;
    for (const TableId argument : op.arguments) arguments.push_back(table(argument));
    return builder_.apply(op.function, std::move(arguments));
  }

  const Program& source_;
  Builder builder_;
  std::vector<InputWeightId> input_weights_;
  std::vector<WeightId> weights_;
  std::vector<BiasId> biases_;
  ReadoutId readout_{0, 0};
  std::vector<std::uint32_t> made_;  // instruction of the source -> instruction of the builder
  std::vector<Columns> columns_;     // instruction of the source -> its columns that were kept
  std::pair<std::shared_ptr<const Origin>, Columns> last_origin_;
  std::shared_ptr<const Origin> restricted_origin_;  // for these columns of it
};

void check(const Program& program, const Columns& columns, const char* what) {
  if (columns.empty()) throw ProgramError(std::string(what) + ": no output is selected; give at least one");
  std::set<Index> seen;
  for (const Index column : columns) {
    if (column < 0 || column >= program.outputs()) {
      throw ProgramError(std::string(what) + ": output " + std::to_string(column) + " of " +
                         std::to_string(program.outputs()) + "; outputs count from 0");
    }
    if (!seen.insert(column).second) {
      throw ProgramError(std::string(what) + ": output " + std::to_string(column) +
                         " is selected twice; select each once");
    }
  }
}

}  // namespace

Program restrict_outputs(const Program& program, const std::vector<Index>& columns) {
  check(program, columns, "restrict_outputs");
  Restriction restriction(program);
  std::vector<std::string> labels;
  for (const Index column : columns)
    labels.push_back(program.output().labels[static_cast<std::size_t>(column)]);
  restriction.builder().output(restriction.readout(), restriction.blocks(columns), std::move(labels));
  return std::move(restriction.builder()).build();
}

Rectangle restrict_rectangle(const Program& program, const std::vector<Index>& rows,
                             const std::vector<Index>& columns) {
  check(program, rows, "restrict_rectangle: rows");
  check(program, columns, "restrict_rectangle: columns");
  Restriction restriction(program);
  Builder& builder = restriction.builder();
  const auto r = static_cast<Index>(rows.size());
  const auto c = static_cast<Index>(columns.size());
  SparseMatrix left(r, r + c);
  SparseMatrix right(c, r + c);
  for (Index j = 0; j < r; ++j) left.insert(j, j) = 1;
  for (Index j = 0; j < c; ++j) right.insert(j, r + j) = 1;
  std::vector<BundleId> row_blocks = restriction.blocks(rows);
  std::vector<BundleId> column_blocks = restriction.blocks(columns);
  std::vector<BundleId> blocks;
  for (std::size_t b = 0; b < row_blocks.size(); ++b) {
    const BundleId placed = builder.mix(row_blocks[b], left);
    blocks.push_back(builder.add(placed, builder.mix(column_blocks[b], right)));
  }
  builder.output(restriction.readout(), std::move(blocks));
  return {std::move(builder).build(), std::move(row_blocks), std::move(column_blocks)};
}

}  // namespace nngpcheck::netsor
