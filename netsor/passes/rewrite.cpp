#include "nngpcheck/netsor/passes/rewrite.hpp"

#include <numeric>
#include <string>

#include "nngpcheck/netsor/error.hpp"
#include "nngpcheck/netsor/passes/restrict.hpp"
#include "nngpcheck/netsor/passes/traits.hpp"

namespace nngpcheck::netsor {

namespace {

// The random objects of a builder that stand for those of a program.
struct Objects {
  std::vector<InputWeightId> input_weights;
  std::vector<WeightId> weights;
  std::vector<BiasId> biases;

  InputWeightId operator[](InputWeightId id) const { return input_weights[id.index()]; }
  WeightId operator[](WeightId id) const { return weights[id.index()]; }
  BiasId operator[](BiasId id) const { return biases[id.index()]; }
};

Objects draw(const Program& source, Builder& builder, const ObjectChanges& changes) {
  Objects result;
  for (InputWeight weight : source.input_weights()) {
    if (changes.input_weight) changes.input_weight(weight);
    result.input_weights.push_back(builder.input_weight(std::move(weight)));
  }
  for (Weight weight : source.weights()) {
    if (changes.weight) changes.weight(weight);
    result.weights.push_back(builder.weight(std::move(weight)));
  }
  for (Bias bias : source.biases()) {
    if (changes.bias) changes.bias(bias);
    result.biases.push_back(builder.bias(std::move(bias)));
  }
  return result;
}

// Copies instructions of one program into the builder of another.
class Copy {
 public:
  Copy(const Program& source, Builder& builder, Objects objects)
      : source_(source),
        builder_(builder),
        objects_(std::move(objects)),
        written_(source.nodes().size()),
        draft_(source, builder, written_) {}

  Objects& objects() { return objects_; }
  const Draft& draft() const { return draft_; }

  void write(std::size_t index) {
    builder_.set_origin(source_.nodes()[index].origin);
    Operation copy = source_.nodes()[index].operation;
    for_each_object(copy, [&](auto& id) { id = objects_[id]; });
    for_each_operand(copy, [&](auto& id, const ColumnMap&) { id = draft_[id]; });
    written_[index] = builder_.append(copy);
  }
  void write(std::size_t index, const Change& change) {
    write(index);
    written_[index] = change(draft_, written_[index]);
  }

  Program finish() && {
    const Output& output = source_.output();
    return std::move(*this).finish(source_.readout(), output.blocks, output.labels);
  }

  /// With an output of these blocks of the source.
  Program finish(const Readout& readout, const std::vector<BundleId>& read,
                 std::vector<std::string> labels) && {
    std::vector<BundleId> blocks;
    for (const BundleId block : read) blocks.push_back(draft_[block]);
    builder_.output(builder_.readout(readout), std::move(blocks), std::move(labels));
    const Program whole = std::move(builder_).build();
    std::vector<Index> all(static_cast<std::size_t>(whole.outputs()));
    std::iota(all.begin(), all.end(), 0);
    return restrict_outputs(whole, all);
  }

 private:
  const Program& source_;
  Builder& builder_;
  Objects objects_;
  std::vector<std::uint32_t> written_;
  Draft draft_;
};

bool same_shape(const InputWeight& left, const InputWeight& right) {
  return left.width == right.width && left.inputs == right.inputs;
}
bool same_shape(const Weight& left, const Weight& right) {
  return left.rows == right.rows && left.columns == right.columns;
}
bool same_shape(const Bias& left, const Bias& right) { return left.width == right.width; }

template <class Kind>
void merge(const Program& program, const std::vector<std::pair<Id<Kind>, Id<Kind>>>& pairs,
           std::vector<Id<Kind>>& objects) {
  for (const auto& [kept, replaced] : pairs) {
    if (!same_shape(program[kept], program[replaced])) {
      throw ProgramError("tie: \"" + program[kept].name + "\" and \"" + program[replaced].name +
                         "\" differ in shape; tie objects of one shape");
    }
    objects.at(replaced.index()) = objects.at(kept.index());
  }
}

// What an instruction is computed from, itself included.
std::vector<bool> ancestors(const Program& program, std::size_t index) {
  std::vector<bool> result(program.nodes().size(), false);
  result[index] = true;
  for (std::size_t k = index + 1; k-- > 0;) {
    if (!result[k]) continue;
    for (const std::size_t operand : operands(program.nodes()[k].operation)) result[operand] = true;
  }
  return result;
}

}  // namespace

std::uint32_t Draft::serial() const { return builder_.serial(); }

Program change_objects(const Program& program, const ObjectChanges& changes) {
  Builder builder;
  Copy copy(program, builder, draw(program, builder, changes));
  for (std::size_t k = 0; k < program.nodes().size(); ++k) copy.write(k);
  return std::move(copy).finish();
}

Program tie(const Program& program, const Ties& ties) {
  Builder builder;
  Objects objects = draw(program, builder, {});
  merge(program, ties.input_weights, objects.input_weights);
  merge(program, ties.weights, objects.weights);
  merge(program, ties.biases, objects.biases);
  Copy copy(program, builder, std::move(objects));
  for (std::size_t k = 0; k < program.nodes().size(); ++k) copy.write(k);
  return std::move(copy).finish();
}

Program untie(const Program& program, const std::vector<WeightId>& weights) {
  Builder builder;
  Copy copy(program, builder, draw(program, builder, {}));
  std::map<WeightId, int> uses;
  for (const WeightId weight : weights) uses[weight] = 0;
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    const auto* product = std::get_if<MatMul>(&program.nodes()[k].operation);
    const auto found = product ? uses.find(product->weight) : uses.end();
    if (found != uses.end() && ++found->second > 1) {
      Weight another = program[product->weight];
      another.name += " (" + std::to_string(found->second) + ")";
      copy.objects().weights[product->weight.index()] = builder.weight(std::move(another));
    }
    copy.write(k);
  }
  return std::move(copy).finish();
}

Program decouple(const Program& program, BundleId sum, std::size_t term) {
  const auto* add = std::get_if<Add>(&program[sum].operation);
  if (!add || term >= add->terms.size()) {
    throw ProgramError("decouple: " + program.name(sum.index()) + " has no term " + std::to_string(term) +
                       "; give a sum, and one of its terms, which count from 0");
  }
  Builder builder;
  const auto rename = [](auto& object) { object.name += " (copy)"; };
  Copy copy(program, builder, draw(program, builder, {}));
  Copy apart(program, builder, draw(program, builder, {rename, rename, rename}));
  const std::vector<bool> needed = ancestors(program, add->terms[term].bundle.index());
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    if (needed[k]) apart.write(k);
    if (k != sum.index()) {
      copy.write(k);
      continue;
    }
    copy.write(k, [&](const Draft& draft, std::uint32_t) {
      std::vector<Add::Term> terms;
      for (const Add::Term& part : add->terms) terms.push_back({part.coefficient, draft[part.bundle]});
      terms[term].bundle = apart.draft()[add->terms[term].bundle];
      return builder.add(std::move(terms)).index();
    });
  }
  return std::move(copy).finish();
}

Program read_out(const Program& program, const std::vector<BundleId>& blocks,
                 std::vector<std::string> labels) {
  Builder builder;
  Copy copy(program, builder, draw(program, builder, {}));
  for (std::size_t k = 0; k < program.nodes().size(); ++k) copy.write(k);
  return std::move(copy).finish({program.readout().name, 1}, blocks, std::move(labels));
}

Program change_instructions(const Program& program, const std::map<std::size_t, Change>& changes) {
  Builder builder;
  Copy copy(program, builder, draw(program, builder, {}));
  for (std::size_t k = 0; k < program.nodes().size(); ++k) {
    const auto change = changes.find(k);
    change == changes.end() ? copy.write(k) : copy.write(k, change->second);
  }
  return std::move(copy).finish();
}

}  // namespace nngpcheck::netsor
