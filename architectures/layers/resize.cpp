// Layers that move and average sites, without weights.
#include <algorithm>
#include <cmath>

#include "nngpcheck/architectures/layers/writer.hpp"

namespace nngpcheck::architectures {

using Eigen::Index;
using Eigen::Triplet;
using netsor::BundleId;
using netsor::SparseMatrix;

namespace {

using Entries = std::vector<Triplet<double>>;

SparseMatrix matrix(Index rows, Index columns, const Entries& entries) {
  SparseMatrix result(rows, std::max<Index>(columns, 0));
  result.setFromTriplets(entries.begin(), entries.end());
  return result;
}

template <class Axis>
Signal along_axes(Writer& writer, const Signal& x, const Axis& axis) {
  AxesMap map = map_axes(x.sites, axis);
  return writer.mix(x, map.matrix, std::move(map.outputs));
}

void refuse_large(double positions, const std::string& key) {
  if (positions <= 1e6) return;
  throw ArchitectureError(key + ": more than 1e6 positions along an axis; take fewer", key);
}

// What is read at a position beyond the ends, or WindowReads::outside.
Index beyond(Index at, Index length, PadMode mode) {
  if (at >= 0 && at < length) return at;
  switch (mode) {
    case PadMode::circular:
      return (at % length + length) % length;
    case PadMode::replicate:
      return std::clamp<Index>(at, 0, length - 1);
    case PadMode::reflect:
      return at < 0 ? -at : 2 * (length - 1) - at;
    case PadMode::zero:
      break;
  }
  return WindowReads::outside;
}

}  // namespace

Signal apply(Writer& writer, const Pad& layer, const std::string&, const Signal& x) {
  const std::size_t axes = axes_of(x.sites);
  const Sites::Shape before = per_axis(layer.before, "before", axes),
                     after = per_axis(layer.after, "after", axes);
  return along_axes(writer, x, [&](std::size_t axis, Index length) {
    const Index most = std::max(before[axis], after[axis]);
    if (layer.mode == PadMode::reflect && most >= length) {
      throw ArchitectureError("before and after must be less than the " + std::to_string(length) +
                                  " positions of an axis that are reflected",
                              "before");
    }
    Entries entries;
    const Index outputs = before[axis] + length + after[axis];
    for (Index o = 0; o < outputs; ++o) {
      const Index at = beyond(o - before[axis], length, layer.mode);
      if (at != WindowReads::outside) entries.emplace_back(at, o, 1.0);
    }
    return matrix(length, outputs, entries);
  });
}

Signal apply(Writer& writer, const Crop& layer, const std::string&, const Signal& x) {
  const std::size_t axes = axes_of(x.sites);
  const Sites::Shape before = per_axis(layer.before, "before", axes),
                     after = per_axis(layer.after, "after", axes);
  return along_axes(writer, x, [&](std::size_t axis, Index length) {
    Entries entries;
    const Index outputs = length - before[axis] - after[axis];
    for (Index o = 0; o < outputs; ++o) entries.emplace_back(before[axis] + o, o, 1.0);
    return matrix(length, outputs, entries);
  });
}

Signal apply(Writer& writer, const Upsample& layer, const std::string&, const Signal& x) {
  const Sites::Shape factor = per_axis(layer.factor, "factor", axes_of(x.sites));
  return along_axes(writer, x, [&](std::size_t axis, Index length) {
    const Index outputs = length * factor[axis];
    refuse_large(static_cast<double>(outputs), "factor");
    Entries entries;
    for (Index o = 0; o < outputs; ++o) {
      if (layer.mode == Interpolation::nearest) {
        entries.emplace_back(o / factor[axis], o, 1.0);
        continue;
      }
      const double at = std::clamp((static_cast<double>(o) + 0.5) / static_cast<double>(factor[axis]) - 0.5,
                                   0.0, static_cast<double>(length - 1));
      const auto low = static_cast<Index>(at);
      const double part = at - static_cast<double>(low);
      entries.emplace_back(low, o, 1 - part);
      if (part > 0) entries.emplace_back(low + 1, o, part);
    }
    return matrix(length, outputs, entries);
  });
}

Signal apply(Writer& writer, const AdaptiveAveragePool& layer, const std::string&, const Signal& x) {
  const Sites::Shape size = per_axis(layer.size, "size", axes_of(x.sites));
  return along_axes(writer, x, [&](std::size_t axis, Index length) {
    Entries entries;
    for (Index o = 0; o < size[axis]; ++o) {
      const Index first = o * length / size[axis], end = ((o + 1) * length + size[axis] - 1) / size[axis];
      for (Index k = first; k < end; ++k) entries.emplace_back(k, o, 1.0 / static_cast<double>(end - first));
    }
    return matrix(length, size[axis], entries);
  });
}

Signal apply(Writer& writer, const PixelShuffle& layer, const std::string&, const Signal& x) {
  Writer::refuse_data(x);
  netsor::Builder& builder = writer.builder();
  const Sites::Shape factor = per_axis(layer.factor, "factor", axes_of(x.sites));
  std::size_t count = 1;
  for (const Index f : factor) count *= static_cast<std::size_t>(f);
  if (x.blocks.size() % count != 0) {
    throw ArchitectureError("factor: " + std::to_string(count) + " blocks become one, and there are " +
                                std::to_string(x.blocks.size()) + "; give the layer before it `blocks` = " +
                                std::to_string(count) + " or a multiple",
                            "factor");
  }
  const std::vector<Sites::Shape> offsets = grid_positions(factor);
  Signal result{std::nullopt, {}, x.sites};
  for (std::size_t first = 0; first < x.blocks.size(); first += offsets.size()) {
    std::vector<netsor::Add::Term> terms;
    for (std::size_t k = 0; k < offsets.size(); ++k) {
      const BundleId block = x.blocks[first + k];
      if (!(builder.type(block).width == builder.type(x.blocks[first]).width))
        throw ArchitectureError("the blocks have different widths; give blocks of one width");
      AxesMap map = map_axes(x.sites, [&](std::size_t axis, Index length) {
        Entries entries;
        for (Index p = 0; p < length; ++p) entries.emplace_back(p, p * factor[axis] + offsets[k][axis], 1.0);
        return matrix(length, length * factor[axis], entries);
      });
      terms.push_back({1, builder.mix(block, std::move(map.matrix))});
      result.sites = std::move(map.outputs);
    }
    result.blocks.push_back(builder.add(std::move(terms)));
  }
  return result;
}

Signal apply(Writer& writer, const GlobalAveragePool&, const std::string&, const Signal& x) {
  return writer.mix(x, sample_average(x.sites), x.sites.without_axes());
}

Signal apply(Writer& writer, const GlobalSumPool&, const std::string&, const Signal& x) {
  return writer.mix(x, sample_sum(x.sites), x.sites.without_axes());
}

Signal apply(Writer& writer, const GlobalMaxPool&, const std::string&, const Signal& x) {
  Writer::refuse_data(x);
  Index most = 0;
  for (Index s = 0; s < x.sites.samples(); ++s) most = std::max(most, x.sites.size(s));
  Signal result{std::nullopt, {}, x.sites.without_axes()};
  for (const BundleId block : x.blocks) {
    std::optional<BundleId> largest;
    for (Index k = 0; k < most; ++k) {
      std::vector<Index> columns;  // site k of every sample; of shorter ones the last
      for (Index s = 0; s < x.sites.samples(); ++s)
        columns.push_back(x.sites.first(s) + std::min(k, x.sites.size(s) - 1));
      const BundleId site = writer.builder().select(block, columns);
      largest = largest ? writer.builder().max(*largest, site) : site;
    }
    result.blocks.push_back(*largest);
  }
  return result;
}

Signal apply(Writer& writer, const Last&, const std::string&, const Signal& x) {
  netsor::SparseMatrix last(x.sites.columns(), x.sites.samples());
  for (Index s = 0; s < x.sites.samples(); ++s) last.insert(x.sites.first(s + 1) - 1, s) = 1;
  return writer.mix(x, last, x.sites.without_axes());
}

Signal apply(Writer& writer, const Flatten&, const std::string&, const Signal& x) {
  const Index samples = x.sites.samples(), sites = x.sites.size(0);
  for (Index s = 1; s < samples; ++s) {
    if (x.sites.size(s) == sites) continue;
    throw ArchitectureError("samples 0 and " + std::to_string(s) + " have " + std::to_string(sites) +
                            " and " + std::to_string(x.sites.size(s)) +
                            " sites; flattening needs the same number, use global_avg_pool or last");
  }
  Signal result{std::nullopt, {}, x.sites.without_axes()};
  if (x.data) {  // row c·sites + p holds channel c of site p, as torch::flatten has it
    result.data.emplace(x.data->rows() * sites, samples);
    for (Index s = 0; s < samples; ++s) {
      result.data->col(s) = x.data->middleCols(x.sites.first(s), sites).transpose().reshaped();
    }
  }
  for (const BundleId block : x.blocks) {
    for (Index p = 0; p < sites; ++p) {
      std::vector<Index> columns;
      for (Index s = 0; s < samples; ++s) columns.push_back(x.sites.first(s) + p);
      result.blocks.push_back(writer.builder().select(block, columns));
    }
  }
  return result;
}

}  // namespace nngpcheck::architectures
