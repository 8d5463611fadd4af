#include "nngpcheck/netsor/passes/restrict.hpp"

#include <algorithm>
#include <set>

#include "nngpcheck/netsor/builder.hpp"
#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/needed.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::netsor {

namespace {

using Columns = std::vector<Index>;

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
    const NeededParts needed(source_, outputs);
    const std::size_t count = source_.nodes().size();
    made_.assign(count, 0);
    columns_.assign(count, {});
    for (std::size_t k = 0; k < count; ++k) {
      columns_[k] = needed.of(k).columns;
      if (columns_[k].empty()) continue;
      builder_.set_origin(origin(k));
      made_[k] = write(source_.nodes()[k], columns_[k], needed.made_part(k));
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

  std::uint32_t write(const Node& node, const Columns& columns, Part made) {
    // An instruction that makes a group makes all of its columns.
    if (form(node.operation) == Form::groupwise) {
      const BundleOperand operand = bundle_operands(node.operation).front();
      made.columns = columns_read(operand.columns, columns, source_.type(operand.bundle).columns);
    }
    Operation copy = node.operation;
    for_each_object(copy, [&](auto& id) { id = object(id); });
    const Overloaded rewrite{
        [&](BundleId& id, const ColumnMap& map) {
          const bool by_matrix =
              std::holds_alternative<MatrixRows>(map);  // whose rows were restricted instead
          id = by_matrix ? kept(id) : at(id, columns_read(map, made, source_.type(id).columns));
        },
        [&](TableId& id, const ColumnMap&) { id = kept(id); },
    };
    for_each_operand(copy, rewrite);
    for_each_columnwise(copy, [&](auto& constant) { constant = restricted(constant, node, made); });
    restrict_mask(copy, made);
    const std::uint32_t written = builder_.append(copy);
    const bool table = std::holds_alternative<TableType>(node.type);
    return table ? written : select(bundle(written), columns, made.columns).index();
  }

  static void restrict_mask(Operation& operation, const Part& part) {
    auto* apply = std::get_if<Apply>(&operation);
    auto* softmax = apply ? std::get_if<SoftmaxKeys>(&apply->function) : nullptr;
    if (softmax && softmax->mask)
      softmax->mask = std::make_shared<const Eigen::MatrixXd>((*softmax->mask)(part.rows, part.columns));
  }

  SharedMatrix restricted(const SharedMatrix& matrix, const Node& node, const Part& part) const {
    const bool table = std::holds_alternative<TableType>(node.type);
    return std::make_shared<const Eigen::MatrixXd>(table ? (*matrix)(part.rows, part.columns).eval()
                                                         : (*matrix)(Eigen::all, part.columns).eval());
  }
  std::vector<int> restricted(const std::vector<int>& group, const Node&, const Part& part) const {
    std::vector<int> result;
    for (const Index column : part.columns) result.push_back(group[static_cast<std::size_t>(column)]);
    return result;
  }
  // The rows are the columns of the operand.
  SharedSparse restricted(const SharedSparse& matrix, const Node& node, const Part& part) const {
    const Columns& columns = part.columns;
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
