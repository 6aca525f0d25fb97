//! The council's area: in which ward and statistical area a point is, or that it is in none.

use schemas::located::{AreaOf, Located};

use crate::boundaries::Boundaries;
use crate::coordinates::Wgs84;

/// The point is in none of the council's wards. Says nothing of the point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a point inside the council's area")]
pub struct OutsideArea;

/// The area of a council: all its wards together, and perhaps its statistical areas.
#[derive(Clone, Debug, PartialEq)]
pub struct CouncilArea {
    wards: Boundaries,
    statistical_areas: Option<Boundaries>,
}

impl CouncilArea {
    /// Of the boundaries of the council's own wards, no others, and those of statistical areas, which may reach further.
    #[must_use]
    pub const fn new(wards: Boundaries, statistical_areas: Option<Boundaries>) -> Self {
        Self {
            wards,
            statistical_areas,
        }
    }

    /// The wards.
    #[must_use]
    pub const fn wards(&self) -> &Boundaries {
        &self.wards
    }

    /// The statistical areas, where it has any.
    #[must_use]
    pub const fn statistical_areas(&self) -> Option<&Boundaries> {
        self.statistical_areas.as_ref()
    }

    /// In which areas a point is. The same point and boundaries give the same answer, always.
    ///
    /// # Errors
    /// [`OutsideArea`]: in no ward.
    pub fn check(&self, point: Wgs84) -> Result<Located, OutsideArea> {
        Ok(Located {
            ward: area_of(&self.wards, point).ok_or(OutsideArea)?,
            statistical_area: self.statistical_areas.as_ref().and_then(|areas| area_of(areas, point)),
        })
    }
}

fn area_of(boundaries: &Boundaries, point: Wgs84) -> Option<AreaOf> {
    let area = boundaries.area_at(point)?;
    Some(AreaOf {
        code: area.code().clone(),
        boundaries: boundaries.version().clone(),
    })
}
