#include "config/inputs.hpp"

#include "config/error.hpp"
#include "config/samples.hpp"

namespace nngpcheck::config {

architectures::Inputs read_inputs(const std::filesystem::path& file) {
  const Samples samples = read_samples(file);
  if (!samples.lengths.empty()) return tokens(samples);
  const Form form = form_of(samples, {});
  if (!form.doubt.empty()) throw ConfigError(form.doubt);
  return make_inputs(samples, form, {0, samples.array.count()});
}

}  // namespace nngpcheck::config
