#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using netsor::BundleId;
using netsor::Width;

namespace {

bool same_object(const netsor::InputWeight& a, const netsor::InputWeight& b) {
  return a.width == b.width && a.inputs == b.inputs && a.variance == b.variance;
}
bool same_object(const netsor::Weight& a, const netsor::Weight& b) {
  return a.rows == b.rows && a.columns == b.columns && a.variance == b.variance;
}
bool same_object(const netsor::Bias& a, const netsor::Bias& b) {
  return a.width == b.width && a.variance == b.variance && a.mean == b.mean;
}

}  // namespace

template <class Object, class Id, class Make>
Id Writer::shared(std::map<std::string, std::pair<Object, Id>>& made, const Object& object,
                  const Make& make) {
  const auto found = made.find(object.name);
  if (found == made.end() && names_.insert(object.name).second) {
    const Id id = make(object);
    made.emplace(object.name, std::pair(object, id));
    return id;
  }
  if (found == made.end() || !same_object(found->second.first, object)) {
    throw ArchitectureError("another layer of the same name draws \"" + object.name +
                            "\" with another shape or variance; layers share a name only to share weights");
  }
  return found->second.second;
}

netsor::WeightId Writer::weight(const std::string& name, Width rows, Width columns, double variance) {
  return shared(weights_, netsor::Weight{name, rows, columns, variance},
                [&](const netsor::Weight& w) { return builder_.weight(w); });
}

BundleId Writer::bias(const std::string& name, Width width, double variance, double mean) {
  return builder_.column(shared(biases_, netsor::Bias{name, width, variance, mean},
                                [&](const netsor::Bias& b) { return builder_.bias(b); }));
}

void Writer::enter(const std::string& layer, const Sites& sites) {
  origin_ = std::make_shared<netsor::Origin>(netsor::Origin{layer, {labels(sites)}});
  builder_.set_origin(origin_);
}

void Writer::leave(const Sites& sites) {
  if (labels(sites) != origin_->labels.front()) origin_->labels.push_back(labels(sites));
}

netsor::Origin::Labels Writer::labels(const Sites& sites) {
  for (const auto& [known, labels] : labels_) {
    if (known == sites) return labels;
  }
  std::vector<std::string> made = inputs_.labels;
  if (sites != Sites(inputs_)) {
    if (inputs_.graph || !inputs_.lengths.empty() || !inputs_.grid.empty()) {
      made.clear();
      for (Index s = 0; s < inputs_.samples(); ++s) made.push_back(std::to_string(s));
    }
    made = sites.labels(made);
  }
  labels_.emplace_back(sites, std::make_shared<const std::vector<std::string>>(std::move(made)));
  return labels_.back().second;
}

BundleId Writer::linear(const Signal& x, const std::string& name, Width width, double variance) {
  if (x.data) {
    const auto weight = shared(input_weights_, netsor::InputWeight{name, width, x.data->rows(), variance},
                               [&](const netsor::InputWeight& w) { return builder_.input_weight(w); });
    return builder_.input(weight, *x.data);
  }
  const double total = total_width(x);
  std::vector<netsor::Add::Term> terms;
  for (std::size_t k = 0; k < x.blocks.size(); ++k) {
    const Width columns = builder_.type(x.blocks[k]).width;
    const auto w = weight(block_name(name, x, k), width, columns, variance * columns.ratio() / total);
    terms.push_back({1, builder_.matmul(w, x.blocks[k])});
  }
  return builder_.add(std::move(terms));
}

BundleId Writer::add_bias(BundleId x, const std::string& name, double variance, double mean) {
  const Width width = builder_.type(x).width;
  if (variance > 0) return builder_.add(x, bias(name, width, variance, mean));
  return mean != 0 ? builder_.add({{1, x}, {mean, builder_.ones(width)}}) : x;
}

Signal Writer::group(const Signal& x, int j, int blocks, int groups) const {
  const Index parts = x.data ? x.data->rows() : std::ssize(x.blocks);
  if (blocks % groups != 0) {
    throw ArchitectureError("groups = " + std::to_string(groups) + " does not divide blocks = " +
                                std::to_string(blocks) + ", the blocks of the output",
                            "groups");
  }
  if (parts % groups != 0) {
    throw ArchitectureError(
        "groups = " + std::to_string(groups) + " does not divide the " + std::to_string(parts) +
            (x.data ? " dimensions of the data"
                    : " blocks of the input; give the layer before it that many `blocks`"),
        "groups");
  }
  const Index size = parts / groups, first = j / (blocks / groups) * size;
  Signal result{std::nullopt, {}, x.sites};
  if (x.data) result.data = x.data->middleRows(first, size);
  if (!x.data) result.blocks.assign(x.blocks.begin() + first, x.blocks.begin() + first + size);
  return result;
}

Signal Writer::mix(const Signal& x, const netsor::SparseMatrix& matrix, Sites sites) {
  Signal result{std::nullopt, {}, std::move(sites)};
  if (x.data) result.data = *x.data * matrix;
  for (const BundleId block : x.blocks) result.blocks.push_back(builder_.mix(block, matrix));
  return result;
}

void Writer::refuse_data(const Signal& x) {
  if (!x.data) return;
  throw ArchitectureError(
      "acts on coordinates of width n but comes before any weight; put dense, conv, graph_conv or a "
      "recurrent layer first");
}

double Writer::total_width(const Signal& x) const {
  double total = 0;
  for (const BundleId block : x.blocks) total += builder_.type(block).width.ratio();
  return total;
}

std::string Writer::output_suffix(int j, int blocks) { return blocks == 1 ? "" : "#" + std::to_string(j); }

std::string Writer::block_name(const std::string& name, const Signal& x, std::size_t block) {
  return x.blocks.size() == 1 ? name : name + "@" + std::to_string(block);
}

}  // namespace nngpcheck::architectures
