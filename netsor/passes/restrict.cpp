#include "nngpcheck/netsor/passes/restrict.hpp"

#include <algorithm>
#include <set>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::netsor {

namespace {

using Columns = std::vector<Index>;

// Tables are never restricted, nor is what goes with them column by column.
bool keeps_all_columns(const Node& node) {
  return std::holds_alternative<TableType>(node.type) || !table_operands(node.operation).empty();
}

// For each instruction, the columns of it (for tables: {0}) that given columns of the output depend on,
// ascending.
class Demand {
 public:
  Demand(const Program& program, const Columns& outputs)
      : program_(program), needed_(program.nodes().size()), named_(program.nodes().size(), false) {
    for (const BundleId block : program.output().blocks) add(block.index(), outputs);
    for (std::size_t k = needed_.size(); k-- > 0;) {
      if (named_[k] && needed_[k].empty()) needed_[k] = {0};
      if (!needed_[k].empty()) propagate(program.nodes()[k], needed_[k]);
    }
  }

  bool needs(std::size_t index) const { return !needed_[index].empty(); }
  const Columns& of(std::size_t index) const { return needed_[index]; }

 private:
  void add(std::size_t index, Columns columns) {
    Columns& needed = needed_[index];
    if (columns == needed) return;
    if (!std::is_sorted(columns.begin(), columns.end())) std::sort(columns.begin(), columns.end());
    columns.erase(std::unique(columns.begin(), columns.end()), columns.end());
    Columns both;
    std::set_union(needed.begin(), needed.end(), columns.begin(), columns.end(), std::back_inserter(both));
    needed = std::move(both);
  }

  void propagate(const Node& node, const Columns& columns) {
    const bool all = keeps_all_columns(node);
    for (const auto& [bundle, map] : bundle_operands(node.operation)) {
      const Index available = program_.type(bundle).columns;
      add(bundle.index(), columns_read(all ? ColumnMap(AllColumns{}) : map, columns, available));
      named_[bundle.index()] = true;
    }
    for (const auto& [table, map] : table_operands(node.operation)) add(table.index(), {0});
  }

  const Program& program_;
  std::vector<Columns> needed_;
  std::vector<bool> named_;  // some instruction that is needed names it, even if it reads no column of it
};

// The place of a column in a list that holds it, ascending.
Index place(Index column, const Columns& among) {
  return std::lower_bound(among.begin(), among.end(), column) - among.begin();
}

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
  const std::vector<std::uint32_t>& sources() const { return sources_; }

  // The output blocks at these columns.
  std::vector<BundleId> blocks(const Columns& outputs) {
    const Demand demand(source_, outputs);
    const std::size_t count = source_.nodes().size();
    made_.assign(count, 0);
    columns_.assign(count, {});
    for (std::size_t k = 0; k < count; ++k) {
      if (!demand.needs(k)) continue;
      columns_[k] = demand.of(k);
      const Node& node = source_.nodes()[k];
      builder_.set_origin(origin(k));
      made_[k] = keeps_all_columns(node) ? write_all(node, columns_[k]) : write(node, columns_[k]);
      if (made_[k] >= sources_.size()) sources_.resize(made_[k] + 1, static_cast<std::uint32_t>(k));
    }
    builder_.set_origin({});
    std::vector<BundleId> result;
    for (const BundleId block : source_.output().blocks) result.push_back(at(block, outputs));
    return result;
  }

 private:
  InputWeightId object(InputWeightId id) const { return input_weights_[id.index()]; }
  WeightId object(WeightId id) const { return weights_[id.index()]; }
  BiasId object(BiasId id) const { return biases_[id.index()]; }

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

  BundleId bundle(std::uint32_t number) const { return {builder_.serial(), number}; }
  BundleId kept(BundleId id) const { return bundle(made_[id.index()]); }
  TableId kept(TableId id) const { return {builder_.serial(), made_[id.index()]}; }

  // These columns of the source's bundle, from its rewritten form.
  BundleId at(BundleId id, const Columns& columns) { return select(kept(id), columns, columns_[id.index()]); }

  // These of the columns of a bundle.
  BundleId select(BundleId id, const Columns& columns, const Columns& among) {
    if (columns == among) return id;
    Columns places;
    for (const Index column : columns) places.push_back(place(column, among));
    return builder_.select(id, places);
  }

  std::uint32_t write_all(const Node& node, const Columns& columns) {
    Operation copy = node.operation;
    for_each_operand(copy, [&](auto& id, const ColumnMap&) { id = kept(id); });
    const std::uint32_t all = builder_.append(copy);
    const bool table = std::holds_alternative<TableType>(node.type);
    return table ? all : builder_.select(bundle(all), columns).index();
  }

  // An instruction that makes a group makes all of its columns.
  std::uint32_t write(const Node& node, const Columns& columns) {
    Columns written = columns;
    if (form(node.operation) == Form::groupwise) {
      const BundleOperand operand = bundle_operands(node.operation).front();
      written = columns_read(operand.columns, columns, source_.type(operand.bundle).columns);
    }
    Operation copy = node.operation;
    for_each_object(copy, [&](auto& id) { id = object(id); });
    const Overloaded rewrite{
        [&](BundleId& id, const ColumnMap& map) {
          const bool by_matrix =
              std::holds_alternative<MatrixRows>(map);  // whose rows were restricted instead
          id = by_matrix ? kept(id) : at(id, columns_read(map, written, source_.type(id).columns));
        },
        [&](TableId& id, const ColumnMap&) { id = kept(id); },
    };
    for_each_operand(copy, rewrite);
    for_each_columnwise(copy, [&](auto& constant) { constant = restricted(constant, node, written); });
    return select(bundle(builder_.append(copy)), columns, written).index();
  }

  SharedMatrix restricted(const SharedMatrix& data, const Node&, const Columns& columns) const {
    return std::make_shared<const Eigen::MatrixXd>((*data)(Eigen::all, columns));
  }
  std::vector<int> restricted(const std::vector<int>& group, const Node&, const Columns& columns) const {
    std::vector<int> result;
    for (const Index column : columns) result.push_back(group[static_cast<std::size_t>(column)]);
    return result;
  }
  // The rows are the columns of the operand.
  SharedSparse restricted(const SharedSparse& matrix, const Node& node, const Columns& columns) const {
    const Columns& rows = columns_[bundle_operands(node.operation).front().bundle.index()];
    SparseMatrix result(std::ssize(rows), std::ssize(columns));
    for (Index j = 0; j < std::ssize(columns); ++j) {
      result.startVec(j);
      for (SparseMatrix::InnerIterator it(*matrix, columns[static_cast<std::size_t>(j)]); it; ++it)
        result.insertBack(place(it.row(), rows), j) = it.value();
    }
    result.finalize();
    return std::make_shared<const SparseMatrix>(std::move(result));
  }

  const Program& source_;
  Builder builder_;
  std::vector<InputWeightId> input_weights_;
  std::vector<WeightId> weights_;
  std::vector<BiasId> biases_;
  ReadoutId readout_{0, 0};
  std::vector<std::uint32_t> made_;     // instruction of the source -> instruction of the builder
  std::vector<Columns> columns_;        // instruction of the source -> its columns that were kept
  std::vector<std::uint32_t> sources_;  // instruction of the builder -> instruction of the source
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
  std::vector<std::uint32_t> sources = restriction.sources();
  return {std::move(builder).build(), std::move(row_blocks), std::move(column_blocks), std::move(sources)};
}

}  // namespace nngpcheck::netsor
